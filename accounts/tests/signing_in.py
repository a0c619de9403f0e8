"""Signing in by the API, for the tests of what follows."""

from __future__ import annotations

from typing import Any

import jwt
from django.conf import settings
from rest_framework.test import APIClient

from accounts.services.tokens import kid_of
from accounts.tests.factories import PASSWORD

ME = "/api/v1/auth/me"


def log_in(user: Any, password: str = PASSWORD) -> dict[str, Any]:
    answer = APIClient().post("/api/v1/auth/login", {"email": user.email, "password": password})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def bearer(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def refresh(token: str) -> Any:
    return APIClient().post("/api/v1/auth/refresh", {"refresh_token": token})


def forged(
    claims: dict[str, Any], key: str | None = None, *, algorithm: str = "HS256", **headers: Any
) -> str:
    """Return a token with these claims, signed by our own key where no other is named, which is named in any case."""
    ours = settings.JWT_SIGNING_KEY
    return jwt.encode(
        claims, ours if key is None else key, algorithm=algorithm, headers={"kid": kid_of(ours), **headers}
    )
