"""Authenticator apps and second steps, for the tests of what follows."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pyotp
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Method, SecondFactor
from accounts.tests.factories import PASSWORD
from accounts.tests.signing_in import bearer, log_in

MFA = "/api/v1/auth/mfa"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_now(secret: str = SECRET, *, steps: int = 0) -> str:
    """Return what the app shows, now or so many half minutes later."""
    return pyotp.TOTP(secret).at(timezone.now() + timedelta(seconds=30 * steps))


def app_of(user: Any, *, confirmed: bool = True) -> SecondFactor:
    """Give the person an app with that secret."""
    return SecondFactor.objects.create(
        user=user, method=Method.TOTP, secret=SECRET, confirmed_at=timezone.now() if confirmed else None
    )


def mail_of(user: Any) -> SecondFactor:
    """Switch codes by mail on."""
    return SecondFactor.objects.create(user=user, method=Method.EMAIL, confirmed_at=timezone.now())


def set_up_app(user: Any) -> tuple[APIClient, str, list[str]]:
    """Set an app up as a person does; return a client of that session, the secret and the recovery codes."""
    client = bearer(log_in(user)["access_token"])
    begun = client.post(f"{MFA}/totp", {"current_password": PASSWORD})
    assert begun.status_code == 200, begun.content
    secret = begun.json()["secret"]
    confirmed = client.post(f"{MFA}/totp/confirm", {"code": code_now(secret)})
    assert confirmed.status_code == 200, confirmed.content
    return client, secret, confirmed.json()["recovery_codes"]


def verify(token: str, code: str, method: str = "totp", *, client: Any = None, **headers: Any) -> Any:
    body = {"mfa_token": token, "method": method, "code": code}
    return (client or APIClient()).post(f"{MFA}/verify", body, **headers)


def code_in(body: str) -> str:
    found = re.search(r"^(\d{6})$", body, re.MULTILINE)
    assert found, body
    return found[1]
