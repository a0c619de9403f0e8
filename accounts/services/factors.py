"""Setting second factors up, and taking them away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
import segno
import structlog
from django.conf import settings
from django.db import transaction

from accounts.events import UserMfaDisabled, UserMfaEnabled
from accounts.models import (
    MailedCode,
    Method,
    RecoveryCode,
    SecondFactor,
    SignInChallenge,
    User,
)
from accounts.services.challenges import InvalidMfaToken, challenge_of, use_challenge
from accounts.services.codes import (
    WrongCode,
    check_enabled,
    digest_of_recovery_code,
    methods_of,
    new_recovery_code,
    use_step,
    with_attempt,
)
from accounts.services.people import NotOneself, check_present_password
from accounts.services.sessions import end_all_sessions
from smartcourse.errors import Conflict, FieldError, NotFound, RuleViolated, Unacceptable
from smartcourse.events.outbox import publish

log = structlog.get_logger(__name__)


class FactorExists(Conflict):
    """The person has this second factor already; another one takes its place once it is removed."""

    code = "factor_exists"
    message = "This second factor is set up already."


class NoSuchFactor(NotFound):
    """The person does not have this second factor."""

    message = "This second factor is not set up."


class NothingToConfirm(Conflict):
    """No authenticator app waits for its first code."""

    message = "No authenticator app is being set up. Please begin again."


class WrongFirstCode(Unacceptable):
    """The first code of an app is wrong, so that app and server would not understand each other."""

    message = "This code is wrong. Is the clock of the device right?"


class UnverifiedAddress(RuleViolated):
    """Codes would go to an address that nobody has shown to be the person's own."""

    code = "email_not_verified"
    message = "Confirm your e-mail address before you have codes mailed there."


class NoSecondFactor(RuleViolated):
    """Recovery codes stand in for a second factor, and the person has none."""

    code = "no_second_factor"
    message = "Set up a second factor first."


@dataclass(frozen=True)
class NewApp:
    """What an authenticator app is told, by a picture or by hand."""

    secret: str
    otpauth_uri: str

    @property
    def qr_code(self) -> str:
        """The URI as a picture: a `data:` URI of an SVG, so that it is never fetched by an address of its own."""
        return segno.make(self.otpauth_uri, error="m").svg_data_uri(scale=5, border=3)


@dataclass(frozen=True)
class Factors:
    """How a person proves more than a password."""

    factors: list[SecondFactor]
    methods: list[Method]
    recovery_codes_left: int
    is_required: bool


def factors_of(*, user: User) -> Factors:
    """Return which second factors a person has.

    Raises:
        MfaDisabled: this installation has none.
    """
    check_enabled()
    return Factors(
        list(SecondFactor.objects.confirmed().filter(user=user)),
        methods_of(user_id=user.pk),
        RecoveryCode.objects.unused().filter(user=user).count(),
        user.must_have_second_factor,
    )


def enroll_totp(*, user_id: UUID, current_password: str, at: datetime) -> NewApp:
    """Begin to set an authenticator app up; it is asked for once a first code has shown that it works.

    Raises:
        MfaDisabled: this installation has no second factors.
        WrongPassword, LockedOut: the password is not the person's, or too many were wrong.
        FactorExists: there is an app already.
    """
    check_enabled()
    check_present_password(user_id=user_id, password=current_password, at=at)
    with transaction.atomic():
        user = _locked(user_id)
        _refuse_second(user, Method.TOTP)
        SecondFactor.objects.filter(user=user, method=Method.TOTP).delete()
        return _begin(user)


def enroll_first_totp(*, mfa_token: str, at: datetime) -> NewApp:
    """The same for who signs in, has no second factor, and must; asked again, it is the same secret again.

    Raises:
        InvalidMfaToken: nothing waits for it.
        FactorExists: the person has a second factor, which is to be asked for.
    """
    challenge = challenge_of(mfa_token=mfa_token, at=at)
    with transaction.atomic():
        user = _locked(challenge.user_id)
        _refuse_any(user)
        begun = SecondFactor.objects.filter(user=user, method=Method.TOTP).first()
        # One that was begun before this log-in may be known to whoever began it.
        if begun is not None and begun.created_at >= challenge.created_at:
            return _described(user, begun)
        SecondFactor.objects.filter(user=user, method=Method.TOTP).delete()
        return _begin(user)


def _locked(user_id: UUID) -> User:
    user: User = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
    return user


def _refuse_second(user: User, method: Method) -> None:
    if SecondFactor.objects.confirmed().filter(user=user, method=method).exists():
        raise FactorExists


def _refuse_any(user: User) -> None:
    if SecondFactor.objects.confirmed().filter(user=user).exists():
        raise FactorExists


def _begin(user: User) -> NewApp:
    factor = SecondFactor.objects.create(user=user, method=Method.TOTP, secret=pyotp.random_base32())
    return _described(user, factor)


def _described(user: User, factor: SecondFactor) -> NewApp:
    app = pyotp.TOTP(factor.secret)
    return NewApp(factor.secret, app.provisioning_uri(name=user.email, issuer_name=settings.MFA_ISSUER))


def confirm_totp(*, user_id: UUID, code: str, session_id: UUID | None, at: datetime) -> list[str]:
    """Ask for the app from now on, and return new recovery codes, which are told this once.

    Other sessions end: who began one by the password alone is asked for more.

    Raises:
        MfaDisabled: this installation has no second factors.
        NothingToConfirm: no app is being set up.
        WrongFirstCode: the code is not of this app, and of this minute.
        LockedOut: too many were wrong.
    """
    check_enabled()
    factor = _waiting(user_id)
    try:
        with_attempt(factor.user, lambda: use_step(factor, code, at), at)
    except WrongCode as error:
        raise WrongFirstCode(errors=[FieldError("code", WrongCode.code, WrongFirstCode.message)]) from error
    with transaction.atomic():
        _locked(user_id)
        return _confirm(factor, at, but=session_id)


def confirm_first_totp(*, mfa_token: str, code: str, at: datetime) -> tuple[User, list[str]]:
    """The same for who signs in, has no second factor, and must: the log-in is complete with it.

    Raises:
        InvalidMfaToken: nothing waits for it.
        FactorExists, NothingToConfirm, WrongFirstCode, LockedOut: see above.
    """
    challenge = challenge_of(mfa_token=mfa_token, at=at)
    factor = _waiting(challenge.user_id)
    if factor.created_at < challenge.created_at:
        raise NothingToConfirm
    try:
        with_attempt(challenge.user, lambda: use_step(factor, code, at), at)
    except WrongCode as error:
        raise WrongFirstCode from error
    with transaction.atomic():
        user = _locked(challenge.user_id)
        if user.password != challenge.user.password:
            raise InvalidMfaToken
        _refuse_any(user)
        use_challenge(challenge, at=at)
        return user, _confirm(factor, at, but=None)


def _waiting(user_id: UUID) -> SecondFactor:
    rows = SecondFactor.objects.select_related("user")
    factor = rows.filter(user=user_id, method=Method.TOTP, confirmed_at=None).first()
    if factor is None:
        raise NothingToConfirm
    return factor


def _confirm(factor: SecondFactor, at: datetime, *, but: UUID | None) -> list[str]:
    # Once more under the lock: it may have been confirmed, or begun anew, while its code was checked.
    waiting = SecondFactor.objects.filter(pk=factor.pk, confirmed_at=None).first()
    if waiting is None:
        raise NothingToConfirm
    waiting.confirm(at=at)
    _tell_enabled(waiting, at, but)
    return _new_recovery_codes(factor.user_id)


def _tell_enabled(factor: SecondFactor, at: datetime, but: UUID | None) -> None:
    end_all_sessions(user_id=factor.user_id, at=at, but=but)
    publish(UserMfaEnabled(user_id=factor.user_id, method=factor.method, occurred_at=at))


def _new_recovery_codes(user_id: UUID) -> list[str]:
    RecoveryCode.objects.filter(user=user_id).delete()
    codes = [new_recovery_code() for _ in range(settings.RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user_id=user_id, digest=digest_of_recovery_code(code)) for code in codes
    )
    return codes


def switch_mailed_codes_on(
    *, user_id: UUID, current_password: str, session_id: UUID | None, at: datetime
) -> Factors:
    """Take codes by mail as a second factor; other sessions end.

    Raises:
        MfaDisabled: this installation has no second factors.
        WrongPassword, LockedOut: the password is not the person's, or too many were wrong.
        UnverifiedAddress: nobody has shown yet that the address is theirs.
        FactorExists: they are switched on.
    """
    check_enabled()
    check_present_password(user_id=user_id, password=current_password, at=at)
    with transaction.atomic():
        user = _locked(user_id)
        if not user.is_verified:
            raise UnverifiedAddress
        _refuse_second(user, Method.EMAIL)
        factor = SecondFactor.objects.create(user=user, method=Method.EMAIL, confirmed_at=at)
        _tell_enabled(factor, at, session_id)
    return factors_of(user=user)


def renew_recovery_codes(*, user_id: UUID, current_password: str, at: datetime) -> list[str]:
    """Return new recovery codes, told this once; those of before do not work any more.

    Raises:
        MfaDisabled: this installation has no second factors.
        WrongPassword, LockedOut: the password is not the person's, or too many were wrong.
        NoSecondFactor: there is nothing that they could stand in for.
    """
    check_enabled()
    check_present_password(user_id=user_id, password=current_password, at=at)
    with transaction.atomic():
        _locked(user_id)
        if not methods_of(user_id=user_id):
            raise NoSecondFactor
        return _new_recovery_codes(user_id)


def remove_factor(*, user_id: UUID, method: Method, current_password: str, at: datetime) -> None:
    """Take a second factor away, and with the last one the recovery codes.

    Raises:
        MfaDisabled: this installation has no second factors.
        WrongPassword, LockedOut: the password is not the person's, or too many were wrong.
        NoSuchFactor: it is not set up.
    """
    check_enabled()
    check_present_password(user_id=user_id, password=current_password, at=at)
    with transaction.atomic():
        _locked(user_id)
        if not SecondFactor.objects.confirmed().filter(user=user_id, method=method).exists():
            raise NoSuchFactor
        SecondFactor.objects.filter(user=user_id, method=method).delete()
        if not SecondFactor.objects.confirmed().filter(user=user_id).exists():
            RecoveryCode.objects.filter(user=user_id).delete()
        publish(UserMfaDisabled(user_id=user_id, method=method, by_staff=False, occurred_at=at))


def reset_second_factors(*, user_id: UUID, by: User, reason: str, at: datetime) -> None:
    """Take all of a person's second factors away, for who has lost them; every session ends.

    Why and by whom is said in the log, and by the back office in the person's history.

    Raises:
        NotOneself: `by` is the person.
        NoSuchFactor: there is none.
    """
    if by.pk == user_id:
        raise NotOneself
    with transaction.atomic():
        _locked(user_id)
        methods = list(SecondFactor.objects.confirmed().filter(user=user_id).values_list("method", flat=True))
        if not methods:
            raise NoSuchFactor
        for remains in (SecondFactor, RecoveryCode, MailedCode, SignInChallenge):
            remains._default_manager.filter(user=user_id).delete()  # noqa: SLF001 - a documented part of Django
        end_all_sessions(user_id=user_id, at=at)
        for method in methods:
            publish(UserMfaDisabled(user_id=user_id, method=method, by_staff=True, occurred_at=at))
    log.warning("second factors reset", user=str(user_id), by=str(by.pk), reason=reason)
