"""How settings read the process environment: one reader, and secrets that refuse to be weak."""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64decode
from ipaddress import ip_network

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

MINIMUM_SECRET_LENGTH = 50
MINIMUM_DISTINCT_CHARACTERS = 12
KEY_BYTES = 32
KEY_ADVICE = "make one with: openssl rand -base64 32"
MINIMUM_HMAC_BYTES = 32
MINIMUM_TOKEN_LENGTH = 32
# What people leave in from an example file; a real random secret has none of these words in it.
PLACEHOLDERS = ("change", "insecure", "secret", "example", "password", "replace", "default")


def at_least(least: int, name: str, *, default: int) -> int:
    """Return the whole number of that name from the environment.

    Raises:
        ImproperlyConfigured: it is none, or smaller.
    """
    try:
        value: int = env.int(name, default=default)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from None
    if value < least:
        raise ImproperlyConfigured(f"{name} must be {least} or more.")
    return value


def strong_secret(name: str) -> str:
    """Return the secret of that name from the environment.

    Raises:
        ImproperlyConfigured: it is missing, short (under 50 characters), repetitive, or a placeholder.
    """
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set; make one with: openssl rand -base64 64 | tr -d '\\n'")
    weak = (
        len(value) < MINIMUM_SECRET_LENGTH
        or len(set(value)) < MINIMUM_DISTINCT_CHARACTERS
        or any(word in value.lower() for word in PLACEHOLDERS)
    )
    if weak:
        raise ImproperlyConfigured(
            f"{name} is too weak: at least {MINIMUM_SECRET_LENGTH} random characters are needed; "
            "make one with: openssl rand -base64 64 | tr -d '\\n'"
        )
    return value


def key_of_32_bytes(name: str) -> str:
    """Return the key of that name from the environment, in base64: an Ed25519 seed, or a key for AES-256.

    Raises:
        ImproperlyConfigured: it is missing, not base64 of 32 bytes, or nothing that chance would give.
    """
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set; {KEY_ADVICE}")
    return _checked_key(name, value)


def former_keys(name: str) -> list[str]:
    """Return the keys of that name from the environment, in base64, separated by commas.

    Raises:
        ImproperlyConfigured: as for `key_of_32_bytes`, but that there may be none.
    """
    return [_checked_key(name, key) for key in env.list(name, default=[])]


def _checked_key(name: str, value: str) -> str:
    try:
        key = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ImproperlyConfigured(f"{name} is not base64; {KEY_ADVICE}") from None
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"{name} must hold {KEY_BYTES} bytes; {KEY_ADVICE}")
    # Of 32 random bytes hardly any repeat; words that a person typed are text.
    if len(set(key)) < MINIMUM_DISTINCT_CHARACTERS or key.isascii():
        raise ImproperlyConfigured(f"{name} is too weak; {KEY_ADVICE}")
    return value


def verification_keys(name: str) -> list[str]:
    """Return the Ed25519 public keys of that name, as a key set has them in `x`: base64url, separated by commas.

    Raises:
        ImproperlyConfigured: one is not base64url of 32 bytes.
    """
    keys: list[str] = env.list(name, default=[])
    for key in keys:
        try:
            length = len(urlsafe_b64decode(key + "=" * (-len(key) % 4)))
        except (binascii.Error, ValueError):
            length = 0
        if length != KEY_BYTES:
            raise ImproperlyConfigured(f"{name}: “{key[:50]}” is no Ed25519 public key in base64url.")
    return keys


def jwt_keys(name: str) -> list[str]:
    """Return the HMAC keys of that name, separated by commas.

    Raises:
        ImproperlyConfigured: one has fewer than 32 bytes, as HS256 needs (RFC 7518 §3.2).
    """
    keys: list[str] = env.list(name, default=[])
    if any(len(key.encode()) < MINIMUM_HMAC_BYTES for key in keys):
        raise ImproperlyConfigured(f"{name}: a key must have at least {MINIMUM_HMAC_BYTES} bytes.")
    return keys


def metrics_token(name: str) -> str:
    """Return the token of that name, which may be left out.

    Raises:
        ImproperlyConfigured: it is short (under 32 characters), or a placeholder.
    """
    value: str = env.str(name, default="")
    if value and (len(value) < MINIMUM_TOKEN_LENGTH or any(word in value.lower() for word in PLACEHOLDERS)):
        raise ImproperlyConfigured(f"{name} is too weak; make one with: openssl rand -hex 32")
    return value


def networks_named(name: str) -> list[str]:
    """Return the networks of that name, separated by commas.

    Raises:
        ImproperlyConfigured: one is no network (`10.0.0.0/8`).
    """
    words: list[str] = env.list(name, default=[])
    for word in words:
        try:
            ip_network(word)
        except ValueError:
            raise ImproperlyConfigured(f"{name}: “{word[:50]}” is no network.") from None
    return words
