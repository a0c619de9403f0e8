"""How settings read the process environment: one reader, and secrets that refuse to be weak."""

from __future__ import annotations

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

MINIMUM_SECRET_LENGTH = 50
MINIMUM_DISTINCT_CHARACTERS = 12
# What people leave in from an example file; a real random secret has none of these words in it.
PLACEHOLDERS = ("change", "insecure", "secret", "example", "password", "replace", "default")


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
