"""Changing the address: asked for with the password, confirmed by a link that was mailed to the new one."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction

from accounts.events import UserEmailChanged, UserEmailChangeRequested
from accounts.models import EmailChange, User, normalise_email
from accounts.services.lockout import forget_places
from accounts.services.people import (
    MailAddress,
    WrongPassword,
    check_present_password,
    one_account_per_email,
)
from accounts.services.sessions import end_all_sessions
from smartcourse.errors import FieldError, NotFound, TooManyRequests, Unacceptable
from smartcourse.events.outbox import publish

HOUR = timedelta(hours=1)
SALT = "accounts.email-change"


class SameEmail(Unacceptable):
    """The new address is the one that the account has."""

    message = "This is the address of your account already."


class TooManyEmailChanges(TooManyRequests):
    """The person has asked for too many changes lately, each of which mails somebody."""

    code = "too_many_email_changes"
    message = "You have asked for another address several times. Please wait a while."


class InvalidEmailChange(Unacceptable):
    """The link is wrong, too old, used, or replaced by a newer one."""

    code = "invalid_email_change"
    message = "This link does not work any more. Please ask for a new one."


class NoEmailChange(NotFound):
    """The change was confirmed, cancelled or replaced: there is no link to be mailed any more."""

    message = "This change of address is not waited for any more."


def request_email_change(*, user_id: UUID, new_email: str, current_password: str, at: datetime) -> None:
    """Have a link mailed to the new address and a notice to the present one; a change asked for before is dropped.

    Whether the new address has an account is not looked at here, so that neither answer nor time can tell
    (docs/decisions/0012-recovery.md).

    Raises:
        WrongPassword: it is not the person's, or was changed meanwhile.
        LockedOut: too many were wrong.
        SameEmail: the person has this address.
        TooManyEmailChanges: there were too many of these lately.
    """
    checked = check_present_password(user_id=user_id, password=current_password, at=at)
    address = normalise_email(new_email)
    if address == checked.email:
        raise SameEmail(errors=[FieldError("new_email", "invalid", SameEmail.message)])
    with transaction.atomic():
        user: User = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
        if user.password != checked.password:
            raise WrongPassword
        _hold_to_the_limit(user_id, at)
        EmailChange.objects.open().filter(user=user_id).update(cancelled_at=at)
        change = EmailChange.objects.create(
            user=user, old_email=user.email, new_email=address, requested_at=at
        )
        publish(UserEmailChangeRequested(user_id=user_id, change_id=change.pk, occurred_at=at))


def _hold_to_the_limit(user_id: UUID, at: datetime) -> None:
    asked = EmailChange.objects.filter(user=user_id, requested_at__gt=at - HOUR).order_by("-requested_at")
    moments = list(asked.values_list("requested_at", flat=True)[: settings.RECOVERY_MAILS_AN_HOUR])
    if len(moments) >= settings.RECOVERY_MAILS_AN_HOUR:
        wait = moments[-1] + HOUR - at
        raise TooManyEmailChanges(retry_after=max(1, math.ceil(wait.total_seconds())))


def may_be_confirmed(*, change_id: UUID) -> bool:
    """Return whether a link is worth mailing: the change is waited for, and nobody has the address yet."""
    wanted = EmailChange.objects.open().filter(pk=change_id).values_list("new_email", flat=True).first()
    return wanted is not None and not User.objects.filter(email=wanted).exists()


def new_address_of(*, change_id: UUID) -> MailAddress:
    """Return where the link goes.

    Raises:
        NoEmailChange: there is no link to be mailed any more.
    """
    change = _waiting(change_id)
    return MailAddress(change.new_email, change.user.full_name)


def former_address_of(*, change_id: UUID) -> MailAddress:
    """Return where the notice goes: the address of before, even when the change was quicker than the mail."""
    change = EmailChange.objects.select_related("user").get(pk=change_id)
    return MailAddress(change.old_email, change.user.full_name)


def email_change_token_for(*, change_id: UUID) -> str:
    """Return the token that proves, to whoever reads the mail of the new address, that this change was asked for.

    Raises:
        NoEmailChange: there is no link to be mailed any more.
    """
    return signing.dumps(str(_waiting(change_id).pk), salt=SALT)


def _waiting(change_id: UUID) -> EmailChange:
    change = EmailChange.objects.open().select_related("user").filter(pk=change_id).first()
    if change is None:
        raise NoEmailChange
    return change


def confirm_email_change(*, token: str, at: datetime) -> User:
    """Give the person the new address, which is verified by that, and end their sessions: it is another log-in.

    Raises:
        InvalidEmailChange: the token is forged, too old, used or replaced, or the account is closed.
        EmailTaken: somebody has the address by now; only who reads its mail can learn so.
    """
    try:
        change_id = UUID(signing.loads(token, salt=SALT, max_age=settings.EMAIL_CHANGE_LIFETIME))
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise InvalidEmailChange from error
    with transaction.atomic():
        owner = EmailChange.objects.filter(pk=change_id).values_list("user_id", flat=True).first()
        # The person first, as whoever asks for a change or sets a password does; then the change is as it stays.
        user: User | None = User.objects.active().select_for_update(of=("self",)).filter(pk=owner).first()
        change = EmailChange.objects.open().filter(pk=change_id).first()
        if user is None or change is None:
            raise InvalidEmailChange
        with one_account_per_email():
            user.change_email(change.new_email)
        change.confirm(at=at)
        forget_places(email=change.old_email)
        end_all_sessions(user_id=user.pk, at=at)
        publish(UserEmailChanged(user_id=user.pk, occurred_at=at))
        return user
