"""Facts about webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class EndpointDisabled(Fact):
    """An endpoint is sent nothing more, because it took nothing for days, or said that it is gone.

    Its URL may be a secret, so it is named by its host. Without an owner it is the platform's.
    """

    type: ClassVar[str] = "webhook.endpoint_disabled"
    aggregate: ClassVar[str] = "endpoint"
    personal: ClassVar[tuple[str, ...]] = ("host", "reason")

    endpoint_id: UUID
    owner_id: UUID | None
    host: str
    reason: str
