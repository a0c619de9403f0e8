"""The deeds of webhooks: keeping endpoints, owing them facts, and sending."""

from smartcourse.http.pinning import AddressRefused
from smartcourse.webhooks.services.deliveries import (
    DeliveryNotFound,
    fan_out,
    ping,
    prune,
    redeliver,
    sweep,
)
from smartcourse.webhooks.services.endpoints import (
    ENDPOINTS_PER_OWNER,
    EndpointIsDisabled,
    EndpointNotFound,
    TooManyEndpoints,
    UnknownFactTypes,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    wanted_types,
)
from smartcourse.webhooks.services.sending import send_due

__all__ = [
    "ENDPOINTS_PER_OWNER",
    "AddressRefused",
    "DeliveryNotFound",
    "EndpointIsDisabled",
    "EndpointNotFound",
    "TooManyEndpoints",
    "UnknownFactTypes",
    "change_endpoint",
    "create_endpoint",
    "delete_endpoint",
    "fan_out",
    "ping",
    "prune",
    "redeliver",
    "rotate_secret",
    "send_due",
    "sweep",
    "wanted_types",
]
