"""Tokens in cookies: what a browser gets, sends and is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import Session
from accounts.tests.factories import PASSWORD
from accounts.tests.signing_in import ME, log_in

HOME = "http://testserver"
LOG_IN, REFRESH, LOG_OUT = "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout"
BY_COOKIE = {"X-Auth-Transport": "cookie"}


class Browser:
    """A page of ours in a browser: it keeps cookies, and says where it comes from."""

    def __init__(self, origin: str | None = HOME) -> None:
        self.client = APIClient(enforce_csrf_checks=True)
        self.origin = origin
        self.csrf = ""

    def log_in(self, user: Any, **headers: str) -> Any:
        answer = self.post(LOG_IN, {"email": user.email, "password": PASSWORD}, **(headers or BY_COOKIE))
        self.csrf = answer.json().get("csrf_token", "")
        return answer

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        own = {"Origin": self.origin} if self.origin else {}
        token = {"X-CSRFToken": self.csrf} if self.csrf else {}
        return self.client.post(path, body, headers={**own, **token, **headers})

    def cookie(self, name: str) -> Any:
        return self.client.cookies[name]


@pytest.fixture
def browser(db: None) -> Browser:
    return Browser()


class TestLogin:
    def test_gives_tokens_that_no_script_can_read(self, browser: Browser, student: Any) -> None:
        answer = browser.log_in(student)
        assert answer.status_code == 200
        assert set(answer.json()) == {"token_type", "expires_in", "csrf_token", "user"}
        assert answer.json()["token_type"] == "Cookie"
        for name in (settings.ACCESS_COOKIE_NAME, settings.REFRESH_COOKIE_NAME):
            cookie = browser.cookie(name)
            assert cookie["httponly"]
            assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Strict", "/", "")
        assert browser.get(ME).json()["id"] == str(student.pk)

    def test_names_and_secures_them_for_this_host_in_production(self, student: Any, settings: Any) -> None:
        settings.ACCESS_COOKIE_NAME, settings.REFRESH_COOKIE_NAME = "__Host-access", "__Host-refresh"
        settings.SESSION_COOKIE_SECURE = True
        browser = Browser()
        browser.log_in(student)
        assert browser.cookie("__Host-access")["secure"]
        assert browser.cookie("__Host-refresh")["secure"]

    def test_is_by_cookie_for_a_browser_that_does_not_say(self, browser: Browser, student: Any) -> None:
        by_default = browser.log_in(student, **{"Sec-Fetch-Mode": "cors"})
        assert by_default.json()["token_type"] == "Cookie"
        as_asked = browser.log_in(student, **{"Sec-Fetch-Mode": "cors", "X-Auth-Transport": "bearer"})
        assert as_asked.json()["token_type"] == "Bearer"

    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "null", "http://testserver.evil.example", None]
    )
    def test_is_refused_to_another_site(self, student: Any, origin: str | None) -> None:
        browser = Browser(origin)
        answer = browser.log_in(student)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
        assert settings.ACCESS_COOKIE_NAME not in browser.client.cookies

    def test_is_open_to_a_site_that_may_call(self, student: Any, settings: Any) -> None:
        settings.CSRF_TRUSTED_ORIGINS = ["https://app.example"]
        assert Browser("https://app.example").log_in(student).status_code == 200

    def test_refuses_a_transport_that_there_is_not(self, browser: Browser, student: Any) -> None:
        answer = browser.log_in(student, **{"X-Auth-Transport": "pigeon"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "X-Auth-Transport")


class TestWrites:
    def test_need_the_csrf_token(self, browser: Browser, student: Any) -> None:
        browser.log_in(student)
        browser.csrf = ""
        refused = browser.post(LOG_OUT)
        assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
        assert browser.get(ME).status_code == 200

    def test_refuse_the_csrf_token_of_another(self, browser: Browser, student: Any, stranger: Any) -> None:
        other = Browser()
        other.log_in(stranger)
        browser.log_in(student)
        browser.csrf = other.csrf
        assert browser.post(LOG_OUT).status_code == 403

    def test_refuse_another_site_that_has_the_token(self, browser: Browser, student: Any) -> None:
        browser.log_in(student)
        browser.origin = "https://evil.example"
        assert browser.post(LOG_OUT).status_code == 403

    def test_need_none_with_a_bearer_token_which_wins(
        self, browser: Browser, student: Any, stranger: Any
    ) -> None:
        browser.log_in(student)
        browser.csrf = ""
        token = log_in(stranger)["access_token"]
        answer = browser.post("/api/v1/auth/logout-all", Authorization=f"Bearer {token}")
        assert answer.status_code == 204
        assert Session.objects.live(timezone.now()).get().user == student


class TestSession:
    def test_goes_on_by_the_refresh_cookie(self, browser: Browser, student: Any) -> None:
        browser.log_in(student)
        before = browser.cookie(settings.REFRESH_COOKIE_NAME).value
        answer = browser.post(REFRESH)
        assert (answer.status_code, answer.json()["token_type"]) == (200, "Cookie")
        assert browser.cookie(settings.REFRESH_COOKIE_NAME).value != before
        browser.csrf = answer.json()["csrf_token"]
        assert browser.post(REFRESH).status_code == 200

    def test_does_not_go_on_for_another_site(self, browser: Browser, student: Any) -> None:
        browser.log_in(student)
        browser.csrf = ""
        assert browser.post(REFRESH).json()["code"] == "csrf_failed"

    def test_does_not_go_on_without_any_token(self, browser: Browser) -> None:
        answer = browser.post(REFRESH)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")

    def test_ends_with_its_cookies(self, browser: Browser, student: Any) -> None:
        browser.log_in(student)
        assert browser.post(LOG_OUT).status_code == 204
        assert browser.cookie(settings.ACCESS_COOKIE_NAME).value == ""
        assert browser.cookie(settings.REFRESH_COOKIE_NAME)["max-age"] == 0
        assert browser.get(ME).json()["code"] == "not_authenticated"

    def test_that_was_ended_elsewhere_is_refused_on_the_next_request(
        self, browser: Browser, student: Any
    ) -> None:
        browser.log_in(student)
        services.end_all_sessions(user_id=student.pk, at=timezone.now())
        assert browser.get(ME).json()["code"] == "token_revoked"

    def test_that_has_ended_closes_nothing_that_is_open_to_all(self, browser: Browser, student: Any) -> None:
        browser.log_in(student)
        services.end_all_sessions(user_id=student.pk, at=timezone.now())
        assert browser.get("/api/v1/courses").status_code == 200
        assert browser.get("/api/v1/instructors").status_code == 200

    def test_takes_no_refresh_token_for_an_access_token(self, browser: Browser, student: Any) -> None:
        browser.log_in(student)
        browser.client.cookies[settings.ACCESS_COOKIE_NAME] = browser.cookie(
            settings.REFRESH_COOKIE_NAME
        ).value
        assert browser.get(ME).json()["code"] == "invalid_token"
