"""Beginning a session: who gets in, and what is told to whom."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import Session
from accounts.tests.factories import PASSWORD
from accounts.tests.signing_in import ME, bearer, log_in


class WatchedHasher(MD5PasswordHasher):
    """The hasher of the tests, telling how often it was used, and doing something while a password is checked."""

    hashed: ClassVar[int] = 0
    meanwhile: ClassVar[Any] = staticmethod(lambda: None)

    def encode(self, password: str, salt: str) -> str:
        WatchedHasher.hashed += 1
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        right = super().verify(password, encoded)
        WatchedHasher.meanwhile()
        return right


@pytest.fixture
def watched_hasher(settings: Any) -> type[WatchedHasher]:
    settings.PASSWORD_HASHERS = [f"{__name__}.WatchedHasher"]
    return WatchedHasher


@pytest.mark.django_db
class TestLogin:
    def test_answers_as_the_product_says(self, instructor: Any) -> None:
        answer = log_in(instructor)
        assert set(answer) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
        assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 900)
        assert set(answer["user"]) == {
            "id", "email", "full_name", "role", "roles", "is_active", "is_verified", "created_at",
        }  # fmt: skip
        assert (answer["user"]["role"], answer["user"]["roles"]) == ("instructor", ["instructor", "student"])

    def test_ignores_the_case_of_the_address(self, student: Any) -> None:
        answer = APIClient().post(
            "/api/v1/auth/login", {"email": student.email.upper(), "password": PASSWORD}
        )
        assert answer.status_code == 200

    def test_says_the_same_of_a_wrong_password_and_an_unknown_account(self, student: Any) -> None:
        wrong = APIClient().post("/api/v1/auth/login", {"email": student.email, "password": "wrong password"})
        unknown = APIClient().post(
            "/api/v1/auth/login", {"email": "nobody@example.org", "password": "wrong password"}
        )
        assert wrong.status_code == unknown.status_code == 401
        kept = [{k: v for k, v in a.json().items() if k != "request_id"} for a in (wrong, unknown)]
        assert kept[0] == kept[1]
        assert kept[0]["code"] == "invalid_credentials"

    def test_hashes_as_often_for_an_unknown_account_as_for_a_known_one(
        self, watched_hasher: type[WatchedHasher], student: Any
    ) -> None:
        hashed = []
        for email in (student.email, "nobody@example.org"):
            watched_hasher.hashed = 0
            APIClient().post("/api/v1/auth/login", {"email": email, "password": "wrong password"})
            hashed.append(watched_hasher.hashed)
        assert hashed == [1, 1]

    @pytest.mark.parametrize("change", ["password", "deactivation"])
    def test_begins_no_session_by_what_changed_during_the_check(
        self, watched_hasher: type[WatchedHasher], student: Any, administrator: Any, change: str
    ) -> None:
        def meanwhile() -> None:
            watched_hasher.meanwhile = staticmethod(lambda: None)
            if change == "password":
                services.set_password(
                    user_id=student.pk, password="another fine passphrase", at=timezone.now()
                )
            else:
                services.deactivate_user(user_id=student.pk, by=administrator, at=timezone.now())

        watched_hasher.meanwhile = staticmethod(meanwhile)
        answer = APIClient().post("/api/v1/auth/login", {"email": student.email, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
        assert not Session.objects.exists()

    @pytest.mark.parametrize(
        ("told", "kept"),
        [
            ("10.0.0.9", "10.0.0.9"), ("2001:db8::1", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"),
            ("10.0.0.9:4711", None), ("[2001:db8::1]", None), ("unknown.example", None), ("1.2.3", None),
        ],
    )  # fmt: skip
    def test_keeps_the_address_where_the_proxy_told_one(
        self, student: Any, settings: Any, told: str, kept: str | None
    ) -> None:
        settings.TRUSTED_PROXY_COUNT = 1
        answer = APIClient().post(
            "/api/v1/auth/login",
            {"email": student.email, "password": PASSWORD},
            headers={"X-Forwarded-For": told, "User-Agent": "Browser\x00" + "x" * 300},
        )
        assert answer.status_code == 200
        session = Session.objects.get()
        assert session.address == kept
        assert (session.user_agent[:8], len(session.user_agent)) == ("Browserx", 255)

    def test_refuses_a_deactivated_account(self, student: Any, administrator: Any) -> None:
        services.deactivate_user(user_id=student.pk, by=administrator, at=timezone.now())
        answer = APIClient().post("/api/v1/auth/login", {"email": student.email, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (403, "inactive_user")

    def test_is_not_kept_on_the_way(self, student: Any) -> None:
        answer = APIClient().post("/api/v1/auth/login", {"email": student.email, "password": PASSWORD})
        assert answer["Cache-Control"] == "no-store"

    def test_works_by_the_oauth_form(self, student: Any) -> None:
        form = {"grant_type": "password", "username": student.email, "password": PASSWORD}
        answer = APIClient().post(
            "/api/v1/auth/token",
            "&".join(f"{k}={v}" for k, v in form.items()),
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.status_code == 200, answer.content
        assert bearer(answer.json()["access_token"]).get(ME).status_code == 200
        # Another site's page can have a browser send such a form, which must not cost it the cookie it is known by.
        assert not answer.cookies

    def test_does_not_mind_an_old_token_sent_along(self, student: Any) -> None:
        client = bearer("of.old.times")
        answer = client.post("/api/v1/auth/login", {"email": student.email, "password": PASSWORD})
        assert answer.status_code == 200

    @pytest.mark.parametrize("field", ["role", "is_staff", "is_superuser", "id"])
    def test_takes_no_field_that_it_does_not_know(self, student: Any, field: str) -> None:
        body = {"email": student.email, "password": PASSWORD, field: "admin"}
        assert APIClient().post("/api/v1/auth/login", body).status_code == 400
