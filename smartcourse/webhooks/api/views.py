"""Endpoints, and what became of everything that they were owed."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response

from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import SignedIn
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.errors import NotAllowed
from smartcourse.webhooks import policies, services
from smartcourse.webhooks.api.filters import DeliveryFilter
from smartcourse.webhooks.api.serializers import (
    FactTypeSerializer,
    WebhookChanges,
    WebhookDeliveryDetail,
    WebhookDeliverySummary,
    WebhookRequest,
    WebhookSerializer,
    WebhookWithSecret,
)
from smartcourse.webhooks.models import Endpoint, WebhookDelivery


class WebhookViewSet(ContextViewSet):
    """A person's own endpoints; the platform's too for staff."""

    scope = "webhooks"
    queryset = Endpoint.objects.all()
    pagination_class = CursorPagination
    serializers: ClassVar[dict[str, Any]] = {
        "create": WebhookWithSecret, "list": WebhookSerializer, "retrieve": WebhookSerializer,
        "partial_update": WebhookSerializer, "rotate_secret": WebhookWithSecret, "ping": WebhookDeliverySummary,
    }  # fmt: skip
    inputs: ClassVar[dict[str, Any]] = {"create": WebhookRequest, "partial_update": WebhookChanges}
    permissions: ClassVar[dict[str, Any]] = {
        "create": [SignedIn], "list": [SignedIn], "retrieve": [SignedIn], "partial_update": [SignedIn],
        "destroy": [SignedIn], "rotate_secret": [SignedIn], "ping": [SignedIn],
    }  # fmt: skip
    raises: ClassVar[dict[str, Any]] = {
        "create": [
            NotAllowed, services.AddressRefused, services.TooManyEndpoints, services.UnknownFactTypes,
        ],
        "partial_update": [services.AddressRefused, services.UnknownFactTypes],
        "ping": [services.EndpointIsDisabled],
    }  # fmt: skip
    statuses: ClassVar[dict[str, int]] = {"ping": http.HTTP_202_ACCEPTED}

    def list(self, request: Request, **_path: Any) -> Response:
        """List one's endpoints, newest first."""
        return super().list(request)

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """Show an endpoint; its secret is not shown again."""
        return super().retrieve(request)

    def create(self, request: Request) -> Response:
        """Create an endpoint: the answer, and no later one, holds the secret that signatures are verified by."""
        asked = self.validated(request)
        platform = asked.pop("platform")
        if platform and not policies.can_keep_platform_endpoints(request.user):
            raise NotAllowed
        endpoint = services.create_endpoint(owner_id=None if platform else self.caller.pk, **asked)
        return self.respond(endpoint, created=True)

    def partial_update(self, request: Request, **_path: Any) -> Response:
        """Change an endpoint, or switch it off and on: switched on, it is sent what it was owed meanwhile."""
        endpoint_id = self.get_object().pk
        return self.respond(
            services.change_endpoint(endpoint_id=endpoint_id, at=timezone.now(), **self.validated(request))
        )

    def destroy(self, request: Request, **_path: Any) -> Response:
        """Delete an endpoint, with everything that it was owed and every attempt."""
        services.delete_endpoint(endpoint_id=self.get_object().pk)
        return self.respond()

    def rotate_secret(self, request: Request, **_path: Any) -> Response:
        """Take a new secret, shown in this answer only; for a day, messages are signed by the former one as well."""
        return self.respond(services.rotate_secret(endpoint_id=self.get_object().pk, at=timezone.now()))

    def ping(self, request: Request, **_path: Any) -> Response:
        """Send a `webhook.ping`, once and now; the delivery that is answered tells how it went."""
        return self.respond(services.ping(endpoint_id=self.get_object().pk, at=timezone.now()))


class FactTypeViewSet(ContextViewSet):
    """What one may be told of."""

    scope = "webhooks"
    pagination_class = None
    filter_backends = ()
    serializers: ClassVar[dict[str, Any]] = {"list": FactTypeSerializer}
    permissions: ClassVar[dict[str, Any]] = {"list": [SignedIn]}

    def list(self, request: Request, **_path: Any) -> Response:
        """List the facts that one's endpoints may choose; for staff, what the platform's may."""
        platform = policies.can_keep_platform_endpoints(request.user)
        known = policies.types_for(platform=platform).values()
        return self.respond(
            [{"type": f.type, "version": f.version, "description": inspect.getdoc(f) or ""} for f in known],
            many=True,
        )


class WebhookDeliveryViewSet(ContextViewSet):
    """What one endpoint was owed, for whoever may see the endpoint."""

    scope = "webhooks"
    queryset = WebhookDelivery.objects.all()
    pagination_class = CursorPagination
    filterset_class = DeliveryFilter
    lookup_url_kwarg = "delivery_pk"
    serializers: ClassVar[dict[str, Any]] = {
        "list": WebhookDeliverySummary, "retrieve": WebhookDeliveryDetail, "redeliver": WebhookDeliverySummary,
    }  # fmt: skip
    permissions: ClassVar[dict[str, Any]] = {
        "list": [SignedIn], "retrieve": [SignedIn], "redeliver": [SignedIn],
    }  # fmt: skip
    raises: ClassVar[dict[str, Any]] = {
        "list": [services.EndpointNotFound],
        "retrieve": [services.EndpointNotFound],
        "redeliver": [services.EndpointNotFound, services.EndpointIsDisabled],
    }
    statuses: ClassVar[dict[str, int]] = {"redeliver": http.HTTP_202_ACCEPTED}

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        endpoint_id = self.kwargs["pk"]
        if not Endpoint.objects.visible_to(self.request.user).filter(pk=endpoint_id).exists():
            raise services.EndpointNotFound
        deliveries = WebhookDelivery.objects.filter(endpoint=endpoint_id)
        return deliveries.prefetch_related("log") if self.action == "retrieve" else deliveries

    def list(self, request: Request, **_path: Any) -> Response:
        """List what the endpoint was owed in the last 30 days, newest first."""
        return super().list(request)

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """Show a delivery with its body and every attempt."""
        return super().retrieve(request)

    def redeliver(self, request: Request, **_path: Any) -> Response:
        """Send it again, by the same body and `webhook-id`; one that is pending is sent now instead of later."""
        return self.respond(services.redeliver(delivery_id=self.get_object().pk, at=timezone.now()))
