"""Facts about facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class DeliveryParked(Fact):
    """A subscriber failed over a fact until its retries ended. Told once an hour for each subscriber."""

    type: ClassVar[str] = "delivery.parked"
    aggregate: ClassVar[str] = "delivery"

    delivery_id: UUID
    subscriber: str
    fact_type: str
    error: str
