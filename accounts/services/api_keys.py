"""Making, knowing and revoking API keys."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import ApiKey, User
from accounts.models.api_keys import LONGEST_LIFE
from accounts.services.sessions import InactiveUser, TokenRevoked
from accounts.services.tokens import InvalidToken, TokenExpired
from smartcourse.errors import FieldError, RuleViolated, Unacceptable

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX_LENGTH = 8
# 62^43 is a little more than 2^256.
RANDOM_LENGTH = 43
CHECKSUM_LENGTH = 6
BEGINNING = "sc_"
FORM = re.compile(rf"sc_[0-9A-Za-z]{{{PREFIX_LENGTH}}}_[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")
KEYS_EACH = 20
# `last_used_at` is for people: a write a request would cost more than it tells.
NOTED_EVERY = timedelta(minutes=1)


class BadExpiry(Unacceptable):
    """The moment that the key shall end at is past, or more than a year away."""

    message = "The moment is not one that a key may end at."


class TooManyApiKeys(RuleViolated):
    """The person has as many keys as anybody may have."""

    code = "too_many_api_keys"
    message = f"There are {KEYS_EACH} API keys already. Revoke one that is not used any more."


@dataclass(frozen=True)
class MadeApiKey:
    """A key just made, with the text that is told this once."""

    row: ApiKey
    key: str


def create_api_key(
    *, user_id: UUID, name: str, scopes: Sequence[str], expires_at: datetime, at: datetime
) -> MadeApiKey:
    """Make a key for a person; the answer, and nothing later, holds it.

    Raises:
        BadExpiry: it would end in the past, or in more than 366 days.
        TooManyApiKeys: the person has 20 that are neither revoked nor expired.
    """
    if not at < expires_at <= at + LONGEST_LIFE:
        detail = "A key ends in the future, and after a year at the latest."
        raise BadExpiry(errors=[FieldError("expires_at", "invalid", detail)])
    key = new_api_key()
    with transaction.atomic():
        # One at a time for each person, or many at once would be too many.
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
        if ApiKey.objects.filter(user=user_id).live(at).count() >= KEYS_EACH:
            raise TooManyApiKeys
        row = ApiKey.objects.create(
            user_id=user_id,
            name=name.strip(),
            prefix=key[len(BEGINNING) :][:PREFIX_LENGTH],
            digest=_digest_of(key),
            scopes=sorted(set(scopes)),
            expires_at=expires_at,
        )
    return MadeApiKey(row, key)


def new_api_key() -> str:
    """Return a new key, `sc_<prefix>_<random><checksum>`: known by sight to whoever scans code for secrets."""
    prefix, random = (_random(length) for length in (PREFIX_LENGTH, RANDOM_LENGTH))
    body = f"{BEGINNING}{prefix}_{random}"
    return body + checksum_of(body)


def checksum_of(body: str) -> str:
    """Return the CRC-32 (ISO 3309) of what goes before it in a key, in base 62, six characters."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _digest_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def authenticate_api_key(*, key: str, at: datetime) -> ApiKey:
    """Return the key with its owner, once both are found in order, and note its use about once a minute.

    Raises:
        InvalidToken: it is none of ours; one with a typing error is known without a look into the database.
        TokenRevoked, TokenExpired: it was one.
        InactiveUser: its owner's account is deactivated.
    """
    body, checksum = key[:-CHECKSUM_LENGTH], key[-CHECKSUM_LENGTH:]
    if not FORM.fullmatch(key) or checksum_of(body) != checksum:
        raise InvalidToken("This is no API key.")
    row = ApiKey.objects.select_related("user").filter(digest=_digest_of(key)).first()
    if row is None:
        raise InvalidToken("This API key is not known.")
    if row.revoked_at is not None:
        raise TokenRevoked("This API key was revoked.")
    if row.expires_at <= at:
        raise TokenExpired("This API key has expired.")
    if not row.user.is_active:
        raise InactiveUser
    _note_use(row, at)
    return row


def _note_use(row: ApiKey, at: datetime) -> None:
    if row.last_used_at is None or row.last_used_at <= at - NOTED_EVERY:
        due = Q(last_used_at=None) | Q(last_used_at__lte=at - NOTED_EVERY)
        ApiKey.objects.filter(due, pk=row.pk).update(last_used_at=at)


def revoke_api_key(*, key_id: UUID, at: datetime) -> None:
    """Revoke a key: it is refused from the next request on."""
    ApiKey.objects.kept().filter(pk=key_id).update(revoked_at=at)


def revoke_api_keys_of(*, user_id: UUID, at: datetime) -> None:
    """Revoke all keys of a person: a new password, or a closed account, ends what was made with the former."""
    ApiKey.objects.kept().filter(user=user_id).update(revoked_at=at)
