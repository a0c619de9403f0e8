"""The codes of second factors: which a person has, and whether one that was typed is right. Each works once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pyotp
from django.conf import settings
from django.db.models import Q
from django.utils.crypto import salted_hmac

from accounts.models import MailedCode, Method, RecoveryCode, SecondFactor, User
from accounts.services.lockout import LockedOut, Place, begin_attempt
from smartcourse.errors import NotAuthenticated, NotFound

# One step of 30 seconds before and after: a telephone's clock is seldom better, and a code is read before it is typed
# (RFC 6238 §5.2).
STEPS_ASIDE = 1
DIGITS = 6
# Without letters and digits that look alike: 32 of them, so that each is five bits.
ALPHABET = "abcdefghjkmnpqrstuvwxyz123456789"
GROUPS, GROUP = 4, 4

# Only who gave the right password comes here: no stranger can lock it, and a thief not multiply by many addresses.
SECOND_STEP = Place("second factor", is_proven=True)


class MfaDisabled(NotFound):
    """This installation has no second factors."""

    code = "mfa_disabled"
    message = "Second factors are switched off here."


class WrongCode(NotAuthenticated):
    """The code is wrong, too old, or was used before; which, is not said."""

    code = "wrong_code"
    message = "This code is wrong, or was used already."


class NoMailedCode(NotFound):
    """The code was used, replaced by a newer one, or its time is over: there is none to be mailed any more."""

    message = "This code is not waited for any more."


def check_enabled() -> None:
    """Refuse where the installation wants no second factors.

    Raises:
        MfaDisabled: it does not.
    """
    if not settings.MFA_ENABLED:
        raise MfaDisabled


def are_wanted() -> bool:
    """Whether the installation has second factors."""
    wanted: bool = settings.MFA_ENABLED
    return wanted


def methods_of(*, user_id: UUID) -> list[Method]:
    """Return by what a person may prove more than the password, best first; nothing where no more is asked for."""
    if not settings.MFA_ENABLED:
        return []
    confirmed = SecondFactor.objects.confirmed().filter(user=user_id)
    methods = {Method(method) for method in confirmed.values_list("method", flat=True)}
    if methods and RecoveryCode.objects.unused().filter(user=user_id).exists():
        methods.add(Method.RECOVERY)
    return [method for method in Method if method in methods]


def earliest_factor_at(*, user_id: UUID) -> datetime | None:
    """Return since when the person has had a second factor without a break, None where none is asked for."""
    if not settings.MFA_ENABLED:
        return None
    since = SecondFactor.objects.confirmed().filter(user=user_id).order_by("confirmed_at")
    moment: datetime | None = since.values_list("confirmed_at", flat=True).first()
    return moment


def check_code(*, user: User, method: Method, code: str, at: datetime) -> None:
    """Use up a code of a person who gave the right password. Outside of a transaction, which would take back the count.

    Raises:
        WrongCode: it is wrong, or was used, or the person has no such factor.
        LockedOut: too many were wrong.
    """
    with_attempt(user, lambda: _CHECKS[method](user, code, at), at)


def with_attempt(user: User, check: Callable[[], bool], at: datetime) -> None:
    """Take an attempt, check, and say what became of it.

    Raises:
        WrongCode, LockedOut: see above.
    """
    try:
        attempt = begin_attempt(email=user.email, place=SECOND_STEP, user_id=user.pk, at=at)
    except LockedOut as error:
        said = "Too many wrong codes. Please wait a while."
        raise LockedOut(said, retry_after=error.retry_after) from error
    if not check():
        attempt.failed()
        raise WrongCode
    attempt.succeeded()


def _use_totp(user: User, code: str, at: datetime) -> bool:
    factor = SecondFactor.objects.confirmed().filter(user=user, method=Method.TOTP).first()
    return factor is not None and use_step(factor, code, at)


def use_step(factor: SecondFactor, code: str, at: datetime) -> bool:
    """Use up the time step that the code of an app is of; False where it is of none, or that step was used.

    The conditional update is what makes a use single: of any number at once, one finds an earlier step.
    """
    app = pyotp.TOTP(factor.secret)
    try:
        step = app.verify_and_get_timecode(_bare(code), for_time=at, valid_window=STEPS_ASIDE)
    except pyotp.OTPVerificationError:
        return False
    return _use(factor, at, Q(last_step__lt=step), last_step=step)


def _use(factor: SecondFactor, at: datetime, unless_used: Q, **now: int) -> bool:
    rows = SecondFactor.objects.filter(unless_used, pk=factor.pk)
    return bool(rows.update(last_used_at=at, **now))


def _use_recovery_code(user: User, code: str, at: datetime) -> bool:
    if not SecondFactor.objects.confirmed().filter(user=user).exists():
        return False
    unused = RecoveryCode.objects.unused().filter(user=user, digest=digest_of_recovery_code(code))
    return bool(unused.update(used_at=at))


def _use_mailed_code(user: User, code: str, at: datetime) -> bool:
    factor = SecondFactor.objects.confirmed().filter(user=user, method=Method.EMAIL).first()
    # The newest alone: five that work at once would be five guesses at once.
    newest = MailedCode.objects.filter(user=user).first()
    if factor is None or newest is None or newest.expires_at <= at:
        return False
    if not hmac.compare_digest(_derived(newest.pk).encode(), _bare(code).encode()):
        return False
    unused = MailedCode.objects.filter(pk=newest.pk, used_at=None)
    return bool(unused.update(used_at=at)) and _use(factor, at, Q())


_CHECKS: dict[Method, Callable[[User, str, datetime], bool]] = {
    Method.TOTP: _use_totp,
    Method.EMAIL: _use_mailed_code,
    Method.RECOVERY: _use_recovery_code,
}


def mailed_code_for(*, mailing_id: UUID, at: datetime) -> str:
    """Return the code that a mail tells; derived, so that no code stands in a row, and a mail sent again says the same.

    Raises:
        NoMailedCode: nobody waits for it any more.
    """
    mailed = MailedCode.objects.filter(pk=mailing_id).first()
    newest = mailed and MailedCode.objects.filter(user=mailed.user_id).first()
    if mailed is None or mailed != newest or mailed.used_at is not None or mailed.expires_at <= at:
        raise NoMailedCode
    return _derived(mailed.pk)


def _derived(mailing_id: UUID) -> str:
    digest = salted_hmac("accounts.mailed-code", str(mailing_id), algorithm="sha256").digest()
    return f"{int.from_bytes(digest) % 10**DIGITS:0{DIGITS}}"


def new_recovery_code() -> str:
    """Return a code of 80 random bits, in groups that can be copied from paper."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
    return "-".join(groups)


def digest_of_recovery_code(code: str) -> str:
    """Return what is stored of it, however it is typed."""
    return hashlib.sha256(_bare(code).lower().encode()).hexdigest()


def _bare(code: str) -> str:
    return "".join(character for character in code if character not in " -\t")
