"""Anybody can check a certificate with our public keys, and without asking us."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode, urlsafe_b64decode
from typing import Any

import pytest
import redis
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.urls import reverse

from certificates import services
from certificates.models import Certificate, CertificateStatus
from certificates.signing import canonical
from certificates.tests.factories import CertificateFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/certificates"


@pytest.fixture
def certificate() -> Certificate:
    certificate = CertificateFactory(recipient_name="Zoë Šimůnková", course_title="Κόμποι & “Knots”")
    return services.sign_certificate(certificate_id=certificate.pk)


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check(signature: dict[str, str], keys: list[dict[str, str]], *, payload: str = "") -> None:
    """Check as a stranger would, with nothing of ours but what the two addresses answer."""
    [key] = [each for each in keys if each["kid"] == signature["key_id"]]
    public = Ed25519PublicKey.from_public_bytes(decoded(key["x"]))
    public.verify(decoded(signature["value"]), (payload or signature["payload"]).encode())


class TestSignature:
    def test_is_checked_with_nothing_but_our_answers(self, certificate: Certificate, anonymous: Any) -> None:
        told = anonymous.get(f"{URL}/verify/{certificate.code}").json()
        keys = anonymous.get(f"{URL}/keys").json()["keys"]
        check(told["signature"], keys)
        said = json.loads(told["signature"]["payload"])
        assert said["recipient_name"] == told["recipient_name"] == "Zoë Šimůnková"
        assert said["code"] == certificate.code

    def test_does_not_hold_for_another_word(self, certificate: Certificate, anonymous: Any) -> None:
        told = anonymous.get(f"{URL}/verify/{certificate.code}").json()["signature"]
        forged = told["payload"].replace("Zoë", "Zoé")
        with pytest.raises(InvalidSignature):
            check(told, anonymous.get(f"{URL}/keys").json()["keys"], payload=forged)

    def test_is_the_same_when_the_step_is_repeated(self, certificate: Certificate) -> None:
        again = services.sign_certificate(certificate_id=certificate.pk)
        assert (again.signature, again.signed_payload) == (certificate.signature, certificate.signed_payload)

    def test_no_longer_holds_for_a_row_that_was_changed(self, certificate: Certificate) -> None:
        assert services.signature_holds(certificate)
        certificate.recipient_name = "Mallory"
        assert not services.signature_holds(certificate)

    def test_outlives_its_key(self, certificate: Certificate, settings: Any, anonymous: Any) -> None:
        [old] = anonymous.get(f"{URL}/keys").json()["keys"]
        settings.CERTIFICATE_SIGNING_KEY = b64encode(secrets.token_bytes(32)).decode()
        assert not services.signature_holds(certificate)
        settings.CERTIFICATE_VERIFY_KEYS = [old["x"]]
        assert services.signature_holds(certificate)
        keys = anonymous.get(f"{URL}/keys").json()["keys"]
        assert [key["kid"] for key in keys][1:] == [old["kid"]]
        check(anonymous.get(f"{URL}/verify/{certificate.code}").json()["signature"], keys)

    def test_is_over_one_text_only(self) -> None:
        assert canonical({"b": "ü\n", "a": '"\u2028'}) == '{"a":"\\"\u2028","b":"ü\\n"}'


class TestIssuing:
    def test_waits_for_the_signature(self, certificate: Certificate) -> None:
        unsigned = CertificateFactory(status=CertificateStatus.PENDING)
        with pytest.raises(services.CertificateNotSigned):
            services.issue_certificate(certificate_id=unsigned.pk, at=unsigned.issued_at)


class TestKeys:
    def test_are_for_anybody_and_ask_the_database_nothing(
        self, client_of: Any, student: Any, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            answer = client_of(None).get(f"{URL}/keys")
        assert answer.status_code == 200
        [key] = answer.json()["keys"]
        assert (key["kty"], key["crv"], key["use"]) == ("OKP", "Ed25519", "sig")
        assert "d" not in key, "the private half"
        assert client_of(student).get(f"{URL}/keys").json() == answer.json()
        assert client_of(student).post(f"{URL}/keys").status_code == 405


class TestBackOffice:
    def test_shows_whether_it_holds(self, certificate: Certificate, staff: Any, client: Any) -> None:
        client.force_login(staff)
        page = reverse("admin:certificates_certificate_change", args=[certificate.pk])
        assert "icon-yes" in client.get(page).content.decode()
        Certificate.objects.update(recipient_name="Mallory")
        assert "icon-no" in client.get(page).content.decode()

    def test_are_limited_like_everything_that_is_no_guess(self, anonymous: Any, settings: Any) -> None:
        redis.Redis.from_url(settings.REDIS_URL).flushdb()
        settings.RATE_LIMITS_ENABLED = True
        # Tokens that come back in hours, so that none does while the test runs.
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "default": (3, 36_000), "verify": (1, 36_000)}
        answers = [anonymous.get(f"{URL}/keys") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].json()["code"] == "rate_limited"
        # Codes are guessed at the other address, whose own and smaller bucket is still full.
        assert anonymous.get(f"{URL}/verify/{secrets.token_hex(16)}").status_code == 404
