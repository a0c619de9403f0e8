"""Columns that a copy of the database does not tell: AES-256-GCM under a key that is not in it.

A value is stored as `v1:<key id>:<base64url of nonce, ciphertext and tag>`. Its place (table, column, row) is
authenticated along with it, so that a value copied into another row opens nowhere. The key id says which of the keys
that the settings name opens it; the first of them seals. A nonce is 96 random bits (NIST SP 800-38D §8.2.2), which is
safe for some four thousand million values a key. Why not a library's field: docs/decisions/0017-encrypted-fields.md.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from datetime import date
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

VERSION = "v1"
NONCE_BYTES = 12


class Unreadable(Exception):
    """A sealed value cannot be opened: its key is not there, it was changed, or it stands where it was not sealed."""


class Sealed(str):
    """A value as the database has it."""

    __slots__ = ()

    @property
    def key_id(self) -> str:
        """Which key opens it; empty where this is no sealed value at all."""
        version, _, rest = self.partition(":")
        return rest.partition(":")[0] if version == VERSION else ""


def seal(text: str, *, place: str) -> Sealed:
    """Encrypt a text for a place (`table.column:row`), under the present key."""
    key_id = present_key_id()
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = _ciphers()[key_id].encrypt(nonce, text.encode(), place.encode())
    return Sealed(f"{VERSION}:{key_id}:{urlsafe_b64encode(nonce + ciphertext).decode()}")


def unseal(value: str, *, place: str) -> str:
    """Return the text that was sealed for that place.

    Raises:
        Unreadable: the key is not among those of the settings, or the value was changed or moved.
    """
    key_id = Sealed(value).key_id
    cipher = _ciphers().get(key_id)
    if cipher is None:
        raise Unreadable(f"{place}: the key {key_id or '(none)'} is not among those of DATA_ENCRYPTION_KEY.")
    try:
        sealed = urlsafe_b64decode(value.rpartition(":")[2])
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise Unreadable(f"{place}: the value was changed, or sealed for another place.") from error


def present_key_id() -> str:
    """Return the id of the key that seals."""
    return next(iter(_ciphers()))


def _ciphers() -> dict[str, AESGCM]:
    return _ciphers_of((settings.DATA_ENCRYPTION_KEY, *settings.DATA_ENCRYPTION_PREVIOUS_KEYS))


@cache
def _ciphers_of(keys: tuple[str, ...]) -> dict[str, AESGCM]:
    raw = [b64decode(key) for key in keys]
    # A part of a digest tells nothing of the key, and names it the same everywhere.
    return {hashlib.sha256(key).hexdigest()[:8]: AESGCM(key) for key in raw}


class _Opener(DeferredAttribute):
    """Opens a sealed value when somebody looks at it; who only loads and saves the row never has it in the clear."""

    field: Any

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        return self.field.open(instance.pk, value) if isinstance(value, Sealed) else value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField[Any, Any]):
    """A text that is sealed on its way into the database; an empty one says nothing and stays empty.

    It can be neither searched nor ordered by, and `update()` does not know the row that it would seal for, so both
    are refused; a row is changed by saving it.
    """

    descriptor_class = _Opener

    def place_of(self, row: Any) -> str:
        """Return where this field of that row stands."""
        return f"{self.model._meta.db_table}.{self.column}:{row}"  # noqa: SLF001 - a documented part of Django

    def open(self, row: Any, value: Sealed) -> Any:
        """Return what was sealed in the row of that primary key.

        Raises:
            Unreadable: it cannot be opened.
        """
        return self.from_text(unseal(value, place=self.place_of(row)))

    def to_text(self, value: Any) -> str:
        """Return what is to be sealed."""
        return str(value)

    def from_text(self, text: str) -> Any:
        """Return the value of what was sealed."""
        return text

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return Sealed(value) if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if value in (None, "") or isinstance(value, Sealed):
            return value
        return seal(self.to_text(value), place=self.place_of(model_instance.pk))

    def get_prep_value(self, value: Any) -> Any:
        if value in (None, "") or isinstance(value, Sealed):
            return value
        raise FieldError(
            f"{self.name} is encrypted: it is looked up by nothing, and changed by saving its row."
        )

    def get_lookup(self, lookup_name: str) -> Any:
        # Whether there is something may be asked.
        return super().get_lookup(lookup_name) if lookup_name in ("isnull", "exact") else None


class EncryptedDateField(EncryptedTextField):
    """A day that is sealed on its way into the database."""

    def to_text(self, value: date) -> str:
        return value.isoformat()

    def from_text(self, text: str) -> date:
        return date.fromisoformat(text)
