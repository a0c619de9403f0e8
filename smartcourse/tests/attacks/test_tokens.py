"""Tokens that were written by somebody else, or are of another kind than the door wants."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils import timezone

from accounts import services
from accounts.models import ApiKeyScope
from accounts.services.tokens import kid_of
from accounts.tests.signing_in import ME, bearer, log_in, refresh
from smartcourse.tests.test_settings import production

# One key pair for all: to make one takes a while.
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def claims_of(user: Any) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(log_in(user)["access_token"], options={"verify_signature": False})
    return claims


def ours() -> dict[str, str]:
    return {"kid": kid_of(settings.JWT_SIGNING_KEY)}


def jwk_of(key: Any) -> dict[str, Any]:
    return dict(json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())))


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@pytest.mark.django_db
class TestAccessToken:
    @pytest.mark.parametrize(("algorithm", "key"), [("RS256", RSA), ("PS256", RSA), ("ES256", EC)])
    def test_signed_by_a_key_pair_under_our_keys_name_is_refused(
        self, student: Any, algorithm: str, key: Any
    ) -> None:
        token = jwt.encode(claims_of(student), key, algorithm=algorithm, headers=ours())
        assert refused(token)

    @pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
    def test_signed_with_a_public_key_as_secret_is_refused(self, student: Any, encoding: Encoding) -> None:
        public = RSA.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        signed = f"{part({'alg': 'HS256', 'typ': 'JWT', **ours()})}.{part(claims_of(student))}"
        # By hand: the library knows better than to do this.
        mac = hmac.digest(public, signed.encode(), "sha256")
        assert refused(f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", "HS256\u0000"])
    @pytest.mark.parametrize("signature", ["", "AA"])
    def test_without_a_signature_is_refused(self, student: Any, algorithm: str, signature: str) -> None:
        header = {"alg": algorithm, "typ": "JWT", **ours()}
        assert refused(f"{part(header)}.{part(claims_of(student))}.{signature}")

    @pytest.mark.parametrize("where", ["jwk", "jku", "x5u", "x5c"])
    def test_that_brings_its_key_along_is_refused(self, student: Any, where: str) -> None:
        brought = {"jwk": jwk_of(RSA), "x5c": ["AAAA"]}.get(where, "https://evil.example/keys")
        for kid in (ours(), {"kid": "theirs"}):
            token = jwt.encode(claims_of(student), RSA, algorithm="RS256", headers={where: brought, **kid})
            assert refused(token)

    @pytest.mark.parametrize("aud", ["", None, [], ["somebody-else"], {"smartcourse": 1}, 7])
    def test_for_another_audience_is_refused(self, student: Any, aud: Any) -> None:
        token = jwt.encode(claims_of(student) | {"aud": aud}, settings.JWT_SIGNING_KEY, headers=ours())
        assert refused(token)

    @pytest.mark.parametrize("claim", ["aud", "iss", "exp", "sub", "sid", "token_type"])
    def test_without_any_of_its_claims_is_refused(self, student: Any, claim: str) -> None:
        claims = {name: value for name, value in claims_of(student).items() if name != claim}
        assert refused(jwt.encode(claims, settings.JWT_SIGNING_KEY, headers=ours()))

    def test_is_good_when_it_is_written_like_ours(self, student: Any) -> None:
        # Or all of the above would be refused for something else.
        token = jwt.encode(claims_of(student), settings.JWT_SIGNING_KEY, headers=ours())
        assert bearer(token).get(ME).status_code == 200


def refused(token: str) -> bool:
    answer = bearer(token).get(ME)
    return (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.django_db
class TestOtherDoors:
    """A token of each kind at every door that wants another kind."""

    def tokens_of(self, user: Any) -> dict[str, str]:
        begun = log_in(user)
        key = services.create_api_key(
            user_id=user.pk, name="Sync", scopes=ApiKeyScope.values, at=timezone.now(),
            expires_at=timezone.now() + timedelta(days=1),
        ).key  # fmt: skip
        return {
            "access": begun["access_token"], "refresh": begun["refresh_token"], "key": key,
            "reset": services.password_reset_token_for(user_id=user.pk),
            "verification": services.verification_token_for(user_id=user.pk),
        }  # fmt: skip

    def test_open_none_of_them(self, student: Any) -> None:
        tokens = self.tokens_of(student)
        new = "another fine passphrase"
        doors: dict[str, Any] = {
            "access": lambda token: bearer(token).get(ME),
            "refresh": refresh,
            "reset": lambda token: bearer("").post(
                "/api/v1/auth/password/reset/confirm", {"token": token, "new_password": new}
            ),
            "verification": lambda token: bearer("").post("/api/v1/auth/verify-email", {"token": token}),
            "email-change": lambda token: bearer("").post(
                "/api/v1/auth/email/change/confirm", {"token": token}
            ),
        }
        opened = {
            (kind, door): status
            for door, knock in doors.items()
            for kind, token in tokens.items()
            # A key at the door of the API is refused by its scopes: accounts are closed to keys.
            if kind != door and (status := knock(token).status_code) not in {400, 401, 403, 422}
        }
        assert opened == {}
        assert [doors[kind](tokens[kind]).status_code for kind in ("verification", "refresh", "access")] == [
            200, 200, 200,
        ]  # fmt: skip


class TestShortKey:
    @pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SIGNING_KEY"])
    def test_refuses_to_start(self, name: str) -> None:
        done = production(**{name: secrets.token_urlsafe(23)[:31]})
        assert done.returncode != 0
        assert name in done.stderr.splitlines()[-1]
