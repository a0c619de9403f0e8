"""Signing in and staying signed in: one session a device, refresh tokens good for one use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Method, RefreshToken, Session, User, normalise_email
from accounts.services.challenges import (
    Challenge,
    MfaRequired,
    check_challenge,
    open_challenge,
    use_challenge,
)
from accounts.services.codes import methods_of
from accounts.services.lockout import begin_attempt, place_of
from accounts.services.standing import doubt_sessions
from accounts.services.tokens import (
    AccessClaims,
    digest_of,
    new_refresh_token,
    successor_of,
    successors_of,
    write_access_token,
)
from smartcourse.errors import NotAllowed, NotAuthenticated

PRUNE_BATCH = 500


class InvalidCredentials(NotAuthenticated):
    """E-mail and password do not belong together; which of the two is wrong is not said."""

    code = "invalid_credentials"
    message = "E-mail address or password is wrong."


class TokenRevoked(NotAuthenticated):
    """The session was ended: by its owner, by staff, or because a used refresh token was used again."""

    code = "token_revoked"
    message = "This session has ended. Please log in again."


class InactiveUser(NotAllowed):
    """The account is deactivated."""

    code = "inactive_user"
    message = "This account is deactivated."


@dataclass(frozen=True)
class Device:
    """From where somebody signs in."""

    user_agent: str = ""
    address: str | None = None
    # What this device was given when an account was signed in to on it (see `lockout.device_proof`).
    proof: str = ""


@dataclass(frozen=True)
class SignedInSession:
    """A session just begun or continued, with the tokens that are told this once."""

    token_type: ClassVar[str] = "Bearer"  # noqa: S105 - a scheme, not a secret

    user: User
    access_token: str
    refresh_token: str
    ends_at: datetime

    @property
    def expires_in(self) -> int:
        """Seconds until the access token expires."""
        return int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())


def begin_log_in(*, email: str, password: str, device: Device, at: datetime) -> SignedInSession | Challenge:
    """Check the password, and begin a session on this device, or wait for the second factor that the person has.

    Raises:
        InvalidCredentials: no such account, or not its password; both take the same time.
        InactiveUser: right, but the account is deactivated.
        LockedOut, TooManyAttempts: too many were wrong, also for an account that does not exist.
    """
    user = _with_password(email, password, device, at)
    with transaction.atomic():
        _hold_what_was_checked(user)
        # Under the lock, so that nobody gets past a factor that is being set up.
        if methods := methods_of(user_id=user.pk):
            return open_challenge(user=user, methods=methods, at=at, lifetime=settings.MFA_TOKEN_LIFETIME)
        return _begin_session(user, device, at)


def log_in(*, email: str, password: str, device: Device, at: datetime) -> SignedInSession:
    """The same for who knows of passwords only.

    Raises:
        MfaRequired: right, but the person has a second factor.
        InvalidCredentials, InactiveUser, LockedOut, TooManyAttempts: see above.
    """
    user = _with_password(email, password, device, at)
    with transaction.atomic():
        _hold_what_was_checked(user)
        if methods_of(user_id=user.pk):
            raise MfaRequired
        return _begin_session(user, device, at)


def complete_log_in(
    *, mfa_token: str, method: Method, code: str, device: Device, at: datetime
) -> SignedInSession:
    """Begin the session that a right password waits for.

    Raises:
        MfaDisabled: this installation has no second factors.
        InvalidMfaToken: nothing waits for it.
        WrongCode: the code is wrong, or was used.
        LockedOut: too many were wrong.
    """
    challenge = check_challenge(mfa_token=mfa_token, method=method, code=code, at=at)
    with transaction.atomic():
        _hold_what_was_checked(challenge.user)
        use_challenge(challenge, at=at)
        return _begin_session(challenge.user, device, at)


def _with_password(email: str, password: str, device: Device, at: datetime) -> User:
    user: User | None = User.objects.with_roles().filter(email=normalise_email(email)).first()
    attempt = begin_attempt(
        email=email,
        place=place_of(email=email, address=device.address, proof=device.proof),
        user_id=user.pk if user else None,
        at=at,
    )
    if user is None:
        # The time of a check is spent for an unknown account too, or the clock would tell who has one.
        make_password(password)
        attempt.failed()
        raise InvalidCredentials
    # Rehashes, where the stored hash is older than today's settings.
    if not user.check_password(password):
        attempt.failed()
        raise InvalidCredentials
    attempt.succeeded()
    if not user.is_active:
        raise InactiveUser
    return user


def _begin_session(user: User, device: Device, at: datetime) -> SignedInSession:
    refresh_token = new_refresh_token()
    session = Session.objects.create(
        user=user,
        user_agent=device.user_agent[:255],
        address=device.address,
        last_used_at=at,
        expires_at=at + settings.REFRESH_TOKEN_LIFETIME,
    )
    _store(session, refresh_token, at)
    user.note_login(at=at)
    return _signed_in(user, session, refresh_token, at)


def _hold_what_was_checked(user: User) -> None:
    """Lock the account against changes, once it is sure that there was none while its password was checked.

    A change of password and a deactivation end the sessions that there are; one that began after them, by the
    password of before, would stay.

    Raises:
        InvalidCredentials: the password is another one now, or the account was deactivated.
    """
    # Not the key: rows that point at the person may be written meanwhile.
    unchanged = User.objects.select_for_update(of=("self",), no_key=True).filter(
        pk=user.pk, password=user.password, is_active=True
    )
    if not unchanged.values_list("pk", flat=True).first():
        raise InvalidCredentials


def refresh_session(*, refresh_token: str, at: datetime) -> SignedInSession:
    """Trade a refresh token for the next one.

    A token is good once. Within `settings.REFRESH_REUSE_GRACE` of its use it gives the same successor again (the
    answer may have been lost); later use means that it was stolen, from or by whoever used it first, and ends the
    session.

    Raises:
        InvalidCredentials: the token is unknown.
        TokenRevoked: the session has ended, or ends now.
        InactiveUser: the account was deactivated.
    """
    token = RefreshToken.objects.select_related("session").filter(digest=digest_of(refresh_token)).first()
    if token is None:
        raise InvalidCredentials("The refresh token is not known.")
    if token.expires_at <= at or token.session.revoked_at is not None or token.session.expires_at <= at:
        raise TokenRevoked
    if not _use(token, refresh_token, at):
        _end(Session.objects.filter(pk=token.session_id), at)
        raise TokenRevoked
    user = User.objects.with_roles().get(pk=token.session.user_id)
    if not user.is_active:
        raise InactiveUser
    return _signed_in(user, token.session, _successor_that_is_stored(refresh_token), at)


def _use(token: RefreshToken, refresh_token: str, at: datetime) -> bool:
    """Use the token up and store its successor, in one transaction; False for a use that comes too late.

    The conditional update is what makes a use single: of any number at once, one finds `used_at` empty.
    """
    with transaction.atomic():
        first = RefreshToken.objects.filter(pk=token.pk, used_at=None).update(used_at=at)
        if first:
            _store(token.session, successor_of(refresh_token), at)
            Session.objects.filter(pk=token.session_id).update(last_used_at=at)
            return True
    used_at = RefreshToken.objects.values_list("used_at", flat=True).get(pk=token.pk)
    # Either way: of requests at once the later may have read the clock first, and a clock that was put back by an hour
    # must not give a stolen token that hour.
    return used_at is not None and abs(at - used_at) <= settings.REFRESH_REUSE_GRACE


def _successor_that_is_stored(refresh_token: str) -> str:
    """Return the successor as it was given first, be it that the signing key was replaced in between."""
    derived = {digest_of(token): token for token in successors_of(refresh_token)}
    if len(derived) == 1:
        return derived.popitem()[1]
    return derived[RefreshToken.objects.values_list("digest", flat=True).get(digest__in=derived)]


def _store(session: Session, refresh_token: str, at: datetime) -> None:
    RefreshToken.objects.create(
        session=session,
        digest=digest_of(refresh_token),
        expires_at=min(session.expires_at, at + settings.REFRESH_TOKEN_LIFETIME),
    )


def _signed_in(user: User, session: Session, refresh_token: str, at: datetime) -> SignedInSession:
    access = write_access_token(AccessClaims(user.pk, session.pk), at=at.timestamp())
    return SignedInSession(
        user=user, access_token=access, refresh_token=refresh_token, ends_at=session.expires_at
    )


def end_session(*, session_id: UUID, at: datetime) -> None:
    """End a session: its access tokens are refused from the next request on."""
    _end(Session.objects.filter(pk=session_id), at)


def end_all_sessions(*, user_id: UUID, at: datetime, but: UUID | None = None) -> int:
    """End all sessions of a person, but one where it is named, and return how many."""
    sessions = Session.objects.filter(user=user_id)
    return _end(sessions.exclude(pk=but) if but else sessions, at)


def log_out_everywhere(*, user_id: UUID, at: datetime) -> None:
    """End all that a person is signed in with: the sessions of the API, and those of the admin site."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user_id).sign_out(at)
        end_all_sessions(user_id=user_id, at=at)


def _end(sessions: QuerySet[Session], at: datetime) -> int:
    with transaction.atomic():
        ids = list(sessions.filter(revoked_at=None).select_for_update().values_list("pk", flat=True))
        if not ids:
            return 0
        # Before the commit: from here on who asks the cache is sent to the database.
        told = doubt_sessions(ids)
        return Session.objects.filter(pk__in=ids).update(revoked_at=at, is_told=told)


def prune_sessions(*, at: datetime) -> int:
    """Delete the sessions that ended longer ago than they are kept, with their tokens, and return how many."""
    ended, before = 0, at - settings.ENDED_SESSION_KEPT
    old = Session.objects.over(before).order_by("pk").values_list("pk", flat=True)
    while batch := list(old[:PRUNE_BATCH]):
        ended += len(batch)
        Session.objects.filter(pk__in=batch).delete()
    return ended
