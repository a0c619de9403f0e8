"""What people are told, through which channels, and with which secrets that only the sent mail may hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote
from uuid import UUID

from django.conf import settings

from accounts import services as accounts
from notifications.models import Channel, MessageType


def _verification_link(recipient_id: UUID) -> str:
    token = accounts.verification_token_for(user_id=recipient_id)
    return f"{settings.PUBLIC_URL}/verify-email?token={quote(token)}"


@dataclass(frozen=True)
class Kind:
    """One type of message. `secrets` fill `[[name]]` in the words at the moment of sending, and are stored nowhere."""

    type: MessageType
    channels: tuple[Channel, ...]
    secrets: dict[str, Callable[[UUID], str]] = field(default_factory=dict)


MAIL, IN_APP = Channel.MAIL, Channel.IN_APP

KINDS = {
    kind.type: kind
    for kind in (
        Kind(MessageType.ACCOUNT_WELCOME, (MAIL,)),
        Kind(MessageType.EMAIL_VERIFICATION, (MAIL,), {"verification_link": _verification_link}),
        Kind(MessageType.COURSE_WELCOME, (MAIL, IN_APP)),
        Kind(MessageType.COURSE_COMPLETED, (MAIL, IN_APP)),
        Kind(MessageType.COURSE_ARCHIVED, (MAIL, IN_APP)),
        Kind(MessageType.MODULE_COMPLETED, (IN_APP,)),
        Kind(MessageType.CERTIFICATE_READY, (MAIL, IN_APP)),
        Kind(MessageType.PUBLISHING_FAILED, (MAIL, IN_APP)),
        Kind(MessageType.OPERATIONS_ALERT, (MAIL,)),
        Kind(MessageType.WEBHOOK_DISABLED, (MAIL, IN_APP)),
    )
}
