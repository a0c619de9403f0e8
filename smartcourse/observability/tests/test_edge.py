"""The edge: health, request ids, headers, and what log lines do not say."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest
import structlog
from django.db import DatabaseError
from django.test import Client

from smartcourse.observability import health
from smartcourse.observability.redaction import HIDDEN, redact, redact_text
from smartcourse.settings.logging import logging_settings


class TestHealth:
    def test_answers_without_asking_anybody(self, client: Client) -> None:
        assert client.get("/api/v1/health").json() == {"status": "ok"}

    @pytest.mark.django_db
    def test_ready_says_what_answers(self, client: Client) -> None:
        answer = client.get("/api/v1/ready")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": True, "redis": True})

    @pytest.mark.django_db
    def test_ready_is_degraded_without_redis(self, client: Client, settings: Any) -> None:
        settings.REDIS_URL = ""
        answer = client.get("/api/v1/ready")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")

    def test_is_not_ready_without_the_database(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        class NoDatabase:
            def cursor(self) -> None:
                raise DatabaseError("gone")

        monkeypatch.setattr(health, "connection", NoDatabase())
        answer = client.get("/api/v1/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")


class TestRequestId:
    def test_is_taken_echoed_and_logged(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, "smartcourse.access"):
            answer = client.get("/api/v1/health", headers={"X-Request-Id": "mine-0123456789"})
        assert answer["X-Request-Id"] == "mine-0123456789"
        assert "mine-0123456789" in caplog.text

    @pytest.mark.parametrize("offered", ["", "short", "with space in it", "x" * 200, 'a"b\\c-0123456'])
    def test_is_given_where_the_offered_one_is_none(self, client: Client, offered: str) -> None:
        given = client.get("/api/v1/health", headers={"X-Request-Id": offered})["X-Request-Id"]
        assert given != offered
        assert len(given) == 36


class TestHeaders:
    def test_are_strict(self, client: Client) -> None:
        answer = client.get("/api/v1/health")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "strict-origin-when-cross-origin"
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy

    def test_cors_is_for_named_origins(self, client: Client, settings: Any) -> None:
        settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
        named = client.get("/api/v1/health", headers={"Origin": "https://app.example"})
        other = client.get("/api/v1/health", headers={"Origin": "https://evil.example"})
        assert named["Access-Control-Allow-Origin"] == "https://app.example"
        assert "Access-Control-Allow-Origin" not in other.headers


class TestRedaction:
    @pytest.mark.parametrize(
        "text",
        [
            "Authorization: Bearer abc.def-ghi", "token eyJhbGciOiJI.eyJzdWIi.sig-nature", "/x?token=planted&y=1",
            "postgres://user:planted@host/db", "/x?signature=planted", "redis://:planted@host:6379/0",
        ],
    )  # fmt: skip
    def test_hides_secrets_in_texts(self, text: str) -> None:
        shown = redact_text(text)
        assert HIDDEN in shown
        for secret in ("abc.def-ghi", "eyJzdWIi", "planted"):
            assert secret not in shown

    def test_hides_them_by_their_names_however_deep(self) -> None:
        planted = {"body": [{"password": "planted", "refresh_token": "planted", "email": "a@example.org"}]}
        shown = str(redact(planted))
        assert "planted" not in shown
        assert "a@example.org" in shown

    @pytest.mark.django_db
    def test_leaves_no_password_and_no_token_in_the_log(
        self, client: Client, student: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            client.post(
                "/api/v1/auth/login?token=planted-token",
                {"email": student.email, "password": "planted-password"},
                content_type="application/json",
            )
            client.get("/api/v1/auth/me", headers={"Authorization": "Bearer planted.access.token"})
        assert "planted" not in caplog.text

    @pytest.mark.parametrize("as_json", [True, False])
    def test_leaves_none_in_a_traceback(self, as_json: bool) -> None:
        formatter = logging_settings(level="INFO", as_json=as_json)["formatters"]["event"]
        made = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=formatter["foreign_pre_chain"], processors=formatter["processors"]
        )
        planted = "planted"
        try:
            int(f"postgres://user:{planted}@host/db")
        except ValueError:
            record = logging.makeLogRecord({"msg": "broken", "exc_info": sys.exc_info(), "name": "x"})
        told = made.format(record)
        assert "invalid literal" in told
        # What stands in the source is shown as a line of it.
        assert "planted" not in told.replace("{planted}", "")
