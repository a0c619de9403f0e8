"""Hashing passwords, a few at a time."""

from __future__ import annotations

import threading
from typing import Any

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

# bcrypt takes a quarter of a second of a core; more than a few at once would leave none for anybody else.
AT_ONCE = 2
_turnstile = threading.BoundedSemaphore(AT_ONCE)


class CappedBCryptSHA256PasswordHasher(BCryptSHA256PasswordHasher):
    """Django's own (SHA-256 before bcrypt), waiting for its turn.

    The cap is here and not around calls, so that it holds for every way to a hash: log-in and registration by the API,
    the log-in of the back office, and whatever comes later. Verifying encodes, so one method is enough.
    """

    def encode(self, password: str, salt: Any) -> str:
        with _turnstile:
            return super().encode(password, salt)
