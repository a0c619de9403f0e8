"""Facts about messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class NotificationSent(Fact):
    """A message left through its channel."""

    type: ClassVar[str] = "notification.sent"
    aggregate: ClassVar[str] = "message"

    message_id: UUID
    recipient_id: UUID
    message_type: str
    channel: str


@dataclass(frozen=True, kw_only=True)
class NotificationFailed(Fact):
    """A message was given up after its retries."""

    type: ClassVar[str] = "notification.failed"
    aggregate: ClassVar[str] = "message"

    message_id: UUID
    recipient_id: UUID
    message_type: str
    channel: str
