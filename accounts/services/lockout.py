"""Guessing passwords is slow, and locks nobody out but who guesses (docs/decisions/0014-lockout.md)."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID

import structlog
from django.conf import settings
from django.core import signing
from django.db import connection
from django.db.models import F
from django.utils.crypto import salted_hmac

from accounts.models import SignInAttempts, normalise_email
from accounts.models.lockout import ANYWHERE, SignInAttemptsQuerySet
from smartcourse.api.client import network_of
from smartcourse.errors import TooManyRequests

DEVICE_SALT = "accounts.device"
NEVER = timedelta(0)
FORGOTTEN_AFTER = timedelta(days=1)

log = structlog.get_logger(__name__)

# One statement takes one of the tries that are left, or none: what is under way counts as wrong until it proved right,
# so that of any number at once no more are checked than the limit allows.
TAKE_ONE = """
INSERT INTO accounts_signinattempts AS had (account, place, user_id, failures, last_at)
VALUES (%(account)s, %(place)s, %(user)s, 1, %(at)s)
ON CONFLICT (account, place) DO UPDATE SET
    failures = CASE WHEN had.last_at <= %(rested)s THEN 1 ELSE had.failures + 1 END,
    last_at = GREATEST(had.last_at, EXCLUDED.last_at),
    user_id = EXCLUDED.user_id,
    locked_until = NULL
WHERE (had.failures < %(limit)s OR had.last_at <= %(rested)s)
  AND (%(waits)s = FALSE OR had.last_at <= %(waited)s)
RETURNING failures
"""
COUNT_ONE = """
INSERT INTO accounts_signinattempts AS had (account, place, user_id, failures, last_at)
VALUES (%(account)s, '', %(user)s, 1, %(at)s)
ON CONFLICT (account, place) DO UPDATE SET
    failures = CASE WHEN had.last_at <= %(rested)s THEN 1 ELSE had.failures + 1 END,
    last_at = GREATEST(had.last_at, EXCLUDED.last_at),
    user_id = EXCLUDED.user_id
"""


class LockedOut(TooManyRequests):
    """This place has given too many wrong passwords for this account; other places are not concerned."""

    code = "locked_out"
    message = "Too many wrong passwords from here. Please wait, or reset the password."


class TooManyAttempts(TooManyRequests):
    """Many places have given wrong passwords for this account, so that one it does not know has to wait a little."""

    code = "too_many_attempts"
    message = "Too many wrong passwords for this account. Please wait a moment and try again."


@dataclass(frozen=True)
class Place:
    """Where somebody signs in from; a proven one holds the proof that the account was signed in to there before."""

    name: str
    is_proven: bool = False


# Who changes a password is signed in: a place of its own, which no stranger can lock, and a thief not multiply.
SIGNED_IN = Place("signed in", is_proven=True)


@dataclass(frozen=True)
class Attempt:
    """A password that may be checked now; whoever checks it says what became of it."""

    account: str
    place: Place
    user_id: UUID | None
    number: int
    is_known: bool
    at: datetime

    def succeeded(self) -> None:
        """It was right: the place is known from now on, and what went wrong there is forgotten."""
        self._row().update(failures=0, locked_until=None, succeeded_at=self.at)

    def failed(self) -> None:
        """It was wrong: the last of the tries locks the pair, and a strange place makes strange places wait."""
        if self.number >= settings.LOCKOUT_FAILURES:
            self._row().filter(failures__gte=settings.LOCKOUT_FAILURES).update(
                locked_until=F("last_at") + settings.LOCKOUT_DURATION
            )
            log.warning("sign-in locked", account=self.account[:12])
        if not self.is_known:
            rested = self.at - settings.LOCKOUT_ACCOUNT_MEMORY
            named = {"account": self.account, "user": self.user_id, "at": self.at, "rested": rested}
            with connection.cursor() as cursor:
                cursor.execute(COUNT_ONE, named)

    def _row(self) -> SignInAttemptsQuerySet:
        return SignInAttempts.objects.of(self.account).filter(place=self.place.name)


def account_name(email: str) -> str:
    """Return the name that an account has in these rows: an HMAC, so that no typed address is kept."""
    return salted_hmac("accounts.lockout", normalise_email(email), algorithm="sha256").hexdigest()


def place_of(*, email: str, address: str | None, proof: str) -> Place:
    """Return where an attempt comes from: the device where its proof is one for this account, else the network."""
    if nonce := _proven(email, proof):
        return Place(f"device {nonce}", is_proven=True)
    return Place(network_of(address or ""))


def device_proof(*, email: str, former: str) -> str:
    """Return what a device may show next time to be known, wherever it is then; a good one it has stays."""
    if _proven(email, former):
        return former
    return signing.dumps([account_name(email), secrets.token_hex(8)], salt=DEVICE_SALT)


def _proven(email: str, proof: str) -> str | None:
    try:
        account, nonce = signing.loads(proof, salt=DEVICE_SALT, max_age=settings.DEVICE_COOKIE_LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(nonce) if account == account_name(email) else None


def begin_attempt(*, email: str, place: Place, user_id: UUID | None, at: datetime) -> Attempt:
    """Take one of the tries that this place has for this account, before the password is checked.

    Raises:
        LockedOut: there is none left.
        TooManyAttempts: the account is being guessed at from many places, and this is one it does not know.
    """
    account = account_name(email)
    rows = {
        row.place: row for row in SignInAttempts.objects.of(account).filter(place__in=[ANYWHERE, place.name])
    }
    known = place.is_proven or _is_known(rows.get(place.name), at)
    wait = NEVER if known else _delay(rows.get(ANYWHERE), at)
    if wait and place.name not in rows:
        # The first knock of a strange place is noted; it counts from there, and nobody can knock in its stead.
        SignInAttempts.objects.bulk_create(
            [SignInAttempts(account=account, place=place.name, user_id=user_id, failures=0, last_at=at)],
            ignore_conflicts=True,
        )
        raise TooManyAttempts(retry_after=math.ceil(wait.total_seconds()))
    number = _take_one(account, place, user_id, wait, at)
    if number is None:
        _refuse(account, place, wait, at)
    return Attempt(account, place, user_id, number, known, at)


def _is_known(row: SignInAttempts | None, at: datetime) -> bool:
    return bool(row and row.succeeded_at and row.succeeded_at > at - settings.KNOWN_PLACE_LIFETIME)


def _delay(everywhere: SignInAttempts | None, at: datetime) -> timedelta:
    """Return how long strange places wait between tries, after so many failures from them all."""
    if everywhere is None or everywhere.last_at <= at - settings.LOCKOUT_ACCOUNT_MEMORY:
        return NEVER
    beyond = everywhere.failures - settings.LOCKOUT_ACCOUNT_FAILURES
    longest: timedelta = settings.LOCKOUT_LONGEST_DELAY
    # The power is kept small before it is taken: an attack may count to millions.
    return NEVER if beyond < 0 else min(longest, timedelta(seconds=2 ** min(beyond, 20)))


def _take_one(account: str, place: Place, user_id: UUID | None, wait: timedelta, at: datetime) -> int | None:
    named = {
        "account": account, "place": place.name, "user": user_id, "at": at, "limit": settings.LOCKOUT_FAILURES,
        "rested": at - settings.LOCKOUT_DURATION, "waits": bool(wait), "waited": at - wait,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(TAKE_ONE, named)
        row = cursor.fetchone()
    return row[0] if row else None


def _refuse(account: str, place: Place, wait: timedelta, at: datetime) -> NoReturn:
    row = SignInAttempts.objects.of(account).filter(place=place.name).first()
    if row is None or row.failures >= settings.LOCKOUT_FAILURES:
        # Without a moment, the last tries are just being checked; they may turn out right.
        until = row.locked_until if row and row.locked_until else at
        raise LockedOut(retry_after=_seconds(until - at))
    raise TooManyAttempts(retry_after=_seconds(row.last_at + wait - at))


def _seconds(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds()))


def locked_places(*, email: str, at: datetime) -> int:
    """Return from how many places signing in to the account of that address is refused now."""
    return SignInAttempts.objects.of(account_name(email)).locked(at).count()


def unlock_account(*, email: str) -> None:
    """Forget what went wrong for the account of that address; places that it knows stay known."""
    unlock(account=account_name(email))


def unlock(*, account: str) -> None:
    """The same by the name that the account has in these rows."""
    rows = SignInAttempts.objects.of(account)
    rows.filter(succeeded_at=None).delete()
    rows.update(failures=0, locked_until=None)
    log.info("sign-in unlocked", account=account[:12])


def forget_places(*, email: str) -> None:
    """Forget everything about the account of that address, the places that it knew as well."""
    SignInAttempts.objects.of(account_name(email)).delete()


def prune_attempts(*, at: datetime) -> int:
    """Delete the rows that decide nothing any more, and return how many."""
    old = SignInAttempts.objects.forgettable(
        before=at - settings.KNOWN_PLACE_LIFETIME, unknown_before=at - FORGOTTEN_AFTER
    )
    deleted, _ = old.delete()
    return deleted
