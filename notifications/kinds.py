"""What people are told, through which channels, where it goes, and with which secrets that only the mail may hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts import services as accounts
from notifications.models import Channel, Message, MessageType


def _link(page: str, token: str) -> str:
    return f"{settings.PUBLIC_URL}/{page}?token={quote(token)}"


def _verification_link(message: Message) -> str:
    return _link("verify-email", accounts.verification_token_for(user_id=message.recipient_id))


def _reset_link(message: Message) -> str:
    return _link("reset-password", accounts.password_reset_token_for(user_id=message.recipient_id))


def _confirmation_link(message: Message) -> str:
    return _link("confirm-email", accounts.email_change_token_for(change_id=_change_of(message)))


def _sign_in_code(message: Message) -> str:
    return accounts.mailed_code_for(mailing_id=UUID(message.data["mailing_id"]), at=timezone.now())


def _change_of(message: Message) -> UUID:
    return UUID(message.data["change_id"])


def _own_address(message: Message) -> accounts.MailAddress:
    return accounts.mail_address_of(user_id=message.recipient_id)


def _new_address(message: Message) -> accounts.MailAddress:
    return accounts.new_address_of(change_id=_change_of(message))


def _former_address(message: Message) -> accounts.MailAddress:
    return accounts.former_address_of(change_id=_change_of(message))


@dataclass(frozen=True)
class Kind:
    """One type of message. `secrets` fill `[[name]]` in the words at the moment of sending, and are stored nowhere.

    `address` tells where a mail goes: to the person's own address of that moment, but for the few that are about an
    address.
    """

    type: MessageType
    channels: tuple[Channel, ...]
    secrets: dict[str, Callable[[Message], str]] = field(default_factory=dict)
    address: Callable[[Message], accounts.MailAddress] = _own_address


MAIL, IN_APP = Channel.MAIL, Channel.IN_APP

KINDS = {
    kind.type: kind
    for kind in (
        Kind(MessageType.ACCOUNT_WELCOME, (MAIL,)),
        Kind(MessageType.EMAIL_VERIFICATION, (MAIL,), {"verification_link": _verification_link}),
        Kind(MessageType.PASSWORD_RESET, (MAIL,), {"reset_link": _reset_link}),
        Kind(
            MessageType.EMAIL_CHANGE_CONFIRMATION,
            (MAIL,),
            {"confirmation_link": _confirmation_link},
            _new_address,
        ),
        Kind(MessageType.EMAIL_CHANGE_NOTICE, (MAIL,), address=_former_address),
        Kind(MessageType.SIGN_IN_CODE, (MAIL,), {"code": _sign_in_code}),
        Kind(MessageType.SECOND_FACTOR_ADDED, (MAIL,)),
        Kind(MessageType.SECOND_FACTOR_REMOVED, (MAIL,)),
        Kind(MessageType.COURSE_WELCOME, (MAIL, IN_APP)),
        Kind(MessageType.COURSE_COMPLETED, (MAIL, IN_APP)),
        Kind(MessageType.COURSE_ARCHIVED, (MAIL, IN_APP)),
        Kind(MessageType.MODULE_COMPLETED, (IN_APP,)),
        Kind(MessageType.CERTIFICATE_READY, (MAIL, IN_APP)),
        Kind(MessageType.PUBLISHING_FAILED, (MAIL, IN_APP)),
        Kind(MessageType.OPERATIONS_ALERT, (MAIL,)),
        Kind(MessageType.WEBHOOK_DISABLED, (MAIL, IN_APP)),
        Kind(MessageType.INSTRUCTOR_APPROVED, (MAIL, IN_APP)),
        Kind(MessageType.INSTRUCTOR_REJECTED, (MAIL, IN_APP)),
        Kind(MessageType.EXPORT_READY, (MAIL, IN_APP)),
        Kind(MessageType.ERASURE_SCHEDULED, (MAIL, IN_APP)),
    )
}
