"""Between a right password and the second factor."""

from __future__ import annotations

import hmac
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from accounts.events import UserSignInCodeRequested
from accounts.models import MailedCode, Method, SignInChallenge, User
from accounts.services.codes import check_code, check_enabled, methods_of
from accounts.services.tokens import digest_of
from smartcourse.errors import NotAllowed, NotAuthenticated, RuleViolated, TooManyRequests
from smartcourse.events.outbox import publish

HOUR = timedelta(hours=1)


class MfaRequired(NotAllowed):
    """The password was right, and is not enough; this door knows no second step."""

    code = "mfa_required"
    message = "This account has a second factor. Log in by POST /auth/login."


class InvalidMfaToken(NotAuthenticated):
    """The password was given too long ago, has changed since, or the log-in was completed already."""

    code = "invalid_mfa_token"
    message = "This log-in does not wait any more. Please begin again with your password."


class NoCodesByMail(RuleViolated):
    """The person has not switched codes by mail on."""

    code = "no_codes_by_mail"
    message = "Codes by mail are not switched on for this account."


class TooManyMailedCodes(TooManyRequests):
    """The person has asked for too many codes lately, each of which is a mail."""

    code = "too_many_mailed_codes"
    message = "You have asked for several codes. Please wait a while, or use another way."


@dataclass(frozen=True)
class Challenge:
    """The answer to a right password that is not enough; the token is told this once."""

    mfa_token: str
    methods: list[Method]


def open_challenge(*, user: User, methods: list[Method], at: datetime, lifetime: timedelta) -> Challenge:
    """Wait for the second factor of a person whose password was just seen to be right."""
    token = secrets.token_urlsafe(32)
    SignInChallenge.objects.create(
        user=user, digest=digest_of(token), password_tag=_tag(user), expires_at=at + lifetime
    )
    return Challenge(token, methods)


def _tag(user: User) -> str:
    return salted_hmac("accounts.sign-in-challenge", user.password, algorithm="sha256").hexdigest()


def challenge_of(*, mfa_token: str, at: datetime) -> SignInChallenge:
    """Return the open challenge of that token, with the person.

    Raises:
        InvalidMfaToken: there is none, or not any more.
        MfaDisabled: this installation has no second factors.
    """
    check_enabled()
    open_ones = SignInChallenge.objects.open(at).select_related("user")
    challenge = open_ones.filter(digest=digest_of(mfa_token)).first()
    if challenge is None or not hmac.compare_digest(challenge.password_tag, _tag(challenge.user)):
        raise InvalidMfaToken
    return challenge


def check_challenge(*, mfa_token: str, method: Method, code: str, at: datetime) -> SignInChallenge:
    """Use up the code, and leave the challenge to be used by what begins by it.

    Raises:
        InvalidMfaToken: nothing waits for it.
        WrongCode: it is wrong, or was used; the challenge still waits.
        LockedOut: too many were wrong.
    """
    challenge = challenge_of(mfa_token=mfa_token, at=at)
    check_code(user=challenge.user, method=method, code=code, at=at)
    return challenge


def use_challenge(challenge: SignInChallenge, *, at: datetime) -> None:
    """Use the challenge up: of any number at once, one is the first.

    Raises:
        InvalidMfaToken: another was.
    """
    if not SignInChallenge.objects.filter(pk=challenge.pk, used_at=None).update(used_at=at):
        raise InvalidMfaToken


def meet_challenge(*, mfa_token: str, method: Method, code: str, at: datetime) -> User:
    """Use up code and challenge, and return the person: for a door with sessions of its own, the back office.

    Raises:
        InvalidMfaToken, WrongCode, LockedOut: see `check_challenge`.
    """
    challenge = check_challenge(mfa_token=mfa_token, method=method, code=code, at=at)
    use_challenge(challenge, at=at)
    return challenge.user


def challenge_methods(*, mfa_token: str, at: datetime) -> list[Method]:
    """Return by what the challenge may be met; nothing where a first factor is still to be set up.

    Raises:
        InvalidMfaToken: nothing waits for it.
    """
    return methods_of(user_id=challenge_of(mfa_token=mfa_token, at=at).user_id)


def request_mailed_code(*, mfa_token: str, at: datetime) -> None:
    """Have a code mailed; one that was mailed before does not work any more.

    Raises:
        InvalidMfaToken: nothing waits for it.
        NoCodesByMail: the person has not switched them on.
        TooManyMailedCodes: there were too many of these lately.
    """
    user_id = challenge_of(mfa_token=mfa_token, at=at).user_id
    if Method.EMAIL not in methods_of(user_id=user_id):
        raise NoCodesByMail
    with transaction.atomic():
        # Locked, so that of any number at once no more are counted than there may be mails.
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
        _hold_to_the_limit(user_id, at)
        mailed = MailedCode.objects.create(
            user_id=user_id, requested_at=at, expires_at=at + settings.MAILED_CODE_LIFETIME
        )
        publish(UserSignInCodeRequested(user_id=user_id, mailing_id=mailed.pk, occurred_at=at))


def _hold_to_the_limit(user_id: UUID, at: datetime) -> None:
    asked = MailedCode.objects.filter(user=user_id, requested_at__gt=at - HOUR).order_by("-requested_at")
    moments = list(asked.values_list("requested_at", flat=True)[: settings.MAILED_CODES_AN_HOUR])
    if len(moments) >= settings.MAILED_CODES_AN_HOUR:
        wait = moments[-1] + HOUR - at
        raise TooManyMailedCodes(retry_after=max(1, math.ceil(wait.total_seconds())))


def prune_sign_in_remains(*, at: datetime) -> int:
    """Delete challenges and mailed codes that have long expired, and return how many."""
    before = at - settings.SIGN_IN_REMAINS_KEPT
    challenges, _ = SignInChallenge.objects.filter(expires_at__lt=before).delete()
    codes, _ = MailedCode.objects.filter(expires_at__lt=before).delete()
    return challenges + codes
