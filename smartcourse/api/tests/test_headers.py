"""What every answer says to a browser, whoever gives it: a view, a refusal, a redirect, a file, the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

pytestmark = pytest.mark.django_db
APP = "https://app.example"


@pytest.fixture
def browser(settings: Any) -> Client:
    """A client of an installation with the edge of production."""
    settings.SECURE_SSL_REDIRECT = True
    settings.CORS_ALLOWED_ORIGINS = [APP]
    # Static files straight from the packages: nothing is collected for a test.
    settings.WHITENOISE_USE_FINDERS = True
    return Client(raise_request_exception=False)


ANSWERS = {
    "a view's": ("GET", "/api/v1/courses", {}, 200),
    "a container's probe": ("GET", "/api/v1/health", {}, 200),
    "the resolver's": ("GET", "/api/v1/nothing", {}, 404),
    "of a method": ("PUT", "/api/v1/courses", {}, 405),
    "of a stranger": ("GET", "/api/v1/auth/me", {}, 401),
    "of a malformed address": ("GET", "/api/v1/courses?x=%00", {}, 400),
    "of a foreign host": ("GET", "/api/v1/courses", {"HTTP_HOST": "evil.example"}, 400),
    "a preflight's": (
        "OPTIONS", "/api/v1/courses", {"HTTP_ORIGIN": APP, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST"}, 200,
    ),
    "a redirect's": ("GET", "/api/v1/courses", {"secure": False}, 301),
    "a page's": ("GET", "/", {}, 200),
    "a missing page's": ("GET", "/nothing", {"HTTP_ACCEPT": "text/html"}, 404),
    "a missing certificate's": ("GET", "/verify/nothing", {}, 404),
    "a static file's": ("GET", "/static/admin/css/base.css", {}, 200),
    "the admin's log-in": ("GET", "/admin/login/", {}, 200),
    "the admin's door": ("GET", "/admin/", {}, 302),
    "of a form without a token": ("POST", "/admin/login/", {}, 403),
}  # fmt: skip


class TestSecurityHeaders:
    @pytest.mark.parametrize(("method", "address", "more", "status"), ANSWERS.values(), ids=ANSWERS)
    def test_are_on_every_kind_of_answer(
        self, browser: Client, method: str, address: str, more: dict[str, Any], status: int
    ) -> None:
        if status == 403:
            browser.handler.enforce_csrf_checks = True
        secure = more.get("secure", True)
        extra = {name: value for name, value in more.items() if name != "secure"}
        answer = browser.generic(method, address, secure=secure, **extra)
        assert answer.status_code == status
        told = {name: answer.get(name) for name in (*EXPECTED, "Strict-Transport-Security")}
        # Of plain HTTP a browser must not believe it (RFC 6797 §7.2).
        hsts = "max-age=31536000; includeSubDomains; preload" if secure else None
        assert told == {**EXPECTED, "Strict-Transport-Security": hsts}
        assert {part.strip() for part in answer["Content-Security-Policy"].split(";")} == POLICY
        b"".join(answer.streaming_content if answer.streaming else ())


# To the letter: no inline script or style, no eval, nobody else's server.
POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "manifest-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'",
    "frame-ancestors 'none'",
}  # fmt: skip
EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": configured.PERMISSIONS_POLICY,
}


class TestCors:
    def ask(self, browser: Client, origin: str, **more: str) -> Any:
        return browser.options(
            "/api/v1/courses", secure=True, HTTP_ORIGIN=origin, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST", **more
        )  # fmt: skip

    def test_lets_named_origins_send_what_the_api_reads(self, browser: Client) -> None:
        wanted = "authorization,content-type,idempotency-key,if-match,if-none-match,x-request-id,x-csrftoken"
        answer = self.ask(browser, APP, HTTP_ACCESS_CONTROL_REQUEST_HEADERS=wanted)
        assert answer["Access-Control-Allow-Origin"] == APP
        allowed = {name.strip() for name in answer["Access-Control-Allow-Headers"].split(",")}
        assert set(wanted.split(",")) <= allowed

    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "null", f"{APP}.evil.example", "http://app.example"]
    )
    def test_lets_nobody_else(self, browser: Client, origin: str) -> None:
        assert "Access-Control-Allow-Origin" not in self.ask(browser, origin).headers

    def test_lets_them_read_what_the_api_says_in_headers(self, browser: Client) -> None:
        answer = browser.get("/api/v1/courses", secure=True, HTTP_ORIGIN=APP)
        shown = {name.strip() for name in answer["Access-Control-Expose-Headers"].split(",")}
        assert {"ETag", "Idempotency-Replayed", "Location", "X-Request-Id", "Retry-After"} <= shown
        assert "Origin" in {name.strip().title() for name in answer["Vary"].split(",")}
