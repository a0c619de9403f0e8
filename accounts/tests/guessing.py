"""Guessing passwords by the API, for the tests of what follows."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

URL = "/api/v1/auth/login"
WRONG = "not the password"
NOBODY = "nobody@example.org"


def sign_in(email: str, password: str = WRONG, *, of: str = "192.0.2.1", client: Any = None) -> Any:
    return (client or APIClient()).post(URL, {"email": email, "password": password}, REMOTE_ADDR=of)


def guess(email: str, times: int, *, of: str = "192.0.2.1") -> list[int]:
    return [sign_in(email, of=of).status_code for _ in range(times)]


def guess_from_everywhere(email: str, times: int) -> None:
    for n in range(times):
        assert sign_in(email, of=f"198.51.100.{n}").status_code == 401
