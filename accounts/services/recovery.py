"""Getting back in without telling anybody who has an account: a new password, and the verification mail once more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction

from accounts.events import UserPasswordResetRequested, UserVerificationRequested
from accounts.models import MailRequest, MailWanted, User, normalise_email
from accounts.services.lockout import account_name
from accounts.services.people import check_strength, set_password
from smartcourse.errors import Unacceptable
from smartcourse.events.outbox import publish
from smartcourse.queues.dispatch import enqueue

HOUR = timedelta(hours=1)
SWEEP_LIMIT = 200


class InvalidReset(Unacceptable):
    """The link to a new password is wrong, too old, used, or for an account that is closed; which, is not said."""

    code = "invalid_reset"
    message = "This link does not work any more. Please ask for a new one."


class ResetTokens(PasswordResetTokenGenerator):
    """Django's tokens, bound to the password and the address: a change of either ends them, so a token works once.

    Not to the last log-in, as Django's are: whoever knows the former password could keep its owner out with it.
    """

    key_salt = "accounts.password-reset"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{user.pk}{user.password}{timestamp}{user.email}"


_tokens = ResetTokens()


def request_password_reset(*, email: str, at: datetime) -> None:
    """Have a link to a new password mailed to that address, if it has an account; nobody is told whether."""
    _take_down(MailWanted.PASSWORD_RESET, email, at)


def request_verification(*, email: str, at: datetime) -> None:
    """Have the verification mail sent once more, if that address waits for it; nobody is told whether."""
    _take_down(MailWanted.VERIFICATION, email, at)


def _take_down(wanted: MailWanted, email: str, at: datetime) -> None:
    # The whole of the work that is done while somebody waits: it looks for no account.
    with transaction.atomic():
        asked = MailRequest.objects.create(
            wanted=wanted, email=normalise_email(email), account=account_name(email), requested_at=at
        )
        enqueue("accounts.answer_mail_request", queue="emails", request_id=str(asked.pk))


def answer_mail_request(*, request_id: UUID, at: datetime) -> bool:
    """Find out whose address it is and say that a mail is wanted, once; return whether one is."""
    with transaction.atomic():
        asked = (
            MailRequest.objects.select_for_update(skip_locked=True, of=("self",))
            .unanswered()
            .filter(pk=request_id)
            .first()
        )
        if asked is None:
            return False
        mailed = _tell(asked, at)
        asked.answer(at=at, mailed=mailed)
        return mailed


def _tell(asked: MailRequest, at: datetime) -> bool:
    # Locked, so that of any number of requests at once no more are counted than there may be mails.
    people = User.objects.active().select_for_update(of=("self",), no_key=True)
    user: User | None = people.filter(email=asked.email).first()
    if user is None:
        return False
    sent = MailRequest.objects.mailed_since(at - HOUR, wanted=asked.wanted, account=asked.account)
    if sent.count() >= settings.RECOVERY_MAILS_AN_HOUR:
        return False
    if asked.wanted == MailWanted.PASSWORD_RESET:
        publish(UserPasswordResetRequested(user_id=user.pk, occurred_at=at))
    elif not user.is_verified:
        publish(UserVerificationRequested(user_id=user.pk, occurred_at=at))
    else:
        return False
    return True


def sweep_mail_requests(*, at: datetime) -> int:
    """Answer the requests whose message was lost on the way, forget the old ones, and return how many were answered.

    Here and now, not by more messages: one that merely stands in a long queue finds nothing left to do.
    """
    lost = MailRequest.objects.unanswered().filter(requested_at__lt=at - settings.MAIL_REQUEST_PATIENCE)
    waiting = list(lost.values_list("pk", flat=True)[:SWEEP_LIMIT])
    for request_id in waiting:
        answer_mail_request(request_id=request_id, at=at)
    MailRequest.objects.filter(
        answered_at__isnull=False, requested_at__lt=at - settings.MAIL_REQUESTS_KEPT
    ).delete()
    return len(waiting)


def password_reset_token_for(*, user_id: UUID) -> str:
    """Return the token that lets whoever reads the person's mail set a password, once and for an hour from now."""
    user: Any = User.objects.get(pk=user_id)
    return f"{user.pk.hex}-{_tokens.make_token(user)}"


def check_password_reset(*, token: str) -> User:
    """Return whose password the token would set, and leave it unused.

    Raises:
        InvalidReset: nobody's.
    """
    owner, _, rest = token.partition("-")
    try:
        user_id = UUID(hex=owner)
    except ValueError as error:
        raise InvalidReset from error
    user: User | None = User.objects.active().filter(pk=user_id).first()
    if user is None or not _tokens.check_token(user, rest):
        raise InvalidReset
    return user


def reset_password(*, token: str, new_password: str, at: datetime) -> None:
    """Set a password by the token that was mailed; every session and API key of before ends.

    Raises:
        InvalidReset: the token is forged, too old, used, or its account is closed.
        WeakPassword: the password does not pass the validators; the token is still good.
    """
    check_strength(new_password, check_password_reset(token=token), field="new_password")
    with transaction.atomic():
        # Once more with the row locked: of any number at once, the second finds another password and no token for it.
        owner = UUID(hex=token.partition("-")[0])
        User.objects.select_for_update(of=("self",)).filter(pk=owner).first()
        user = check_password_reset(token=token)
        set_password(user_id=user.pk, password=new_password, at=at)
