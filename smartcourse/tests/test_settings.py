"""Production starts with everything it needs, or not at all."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from base64 import b64encode

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from smartcourse.settings.environment import strong_secret


class TestStrongSecret:
    @pytest.mark.parametrize(
        ("value", "complaint"),
        [
            ("", "not set"),
            ("short", "too weak"),
            ("a" * 80, "too weak"),
            ("change-me-" * 8 + "0123456789abcdef", "too weak"),
        ],
    )
    def test_refuses_what_is_missing_or_weak(
        self, value: str, complaint: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOME_KEY", value)
        with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
            strong_secret("SOME_KEY")
        assert not value or value not in str(refused.value), "the secret is not told"

    def test_takes_what_is_random_and_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOME_KEY", secrets.token_hex(48))
        assert len(strong_secret("SOME_KEY")) == 96


def production(**changes: str | None) -> subprocess.CompletedProcess[str]:
    environment: dict[str, str | None] = {
        "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "smartcourse.settings.production",
        "SECRET_KEY": secrets.token_hex(48), "JWT_SIGNING_KEY": secrets.token_hex(48),
        "CERTIFICATE_SIGNING_KEY": b64encode(secrets.token_bytes(32)).decode(),
        "DATA_ENCRYPTION_KEY": b64encode(secrets.token_bytes(32)).decode(),
        "ALLOWED_HOSTS": "learn.example", "PUBLIC_URL": "https://learn.example", "REDIS_URL": "redis://redis.example",
        "DATABASE_URL": "postgres://db.example/x", "EMAIL_URL": "smtp://mail.example",
    }  # fmt: skip
    environment |= changes
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=settings.BASE_DIR,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


class TestProduction:
    def test_starts_with_everything_it_needs(self) -> None:
        done = production()
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SECRET_KEY", None), ("SECRET_KEY", "weak"), ("JWT_SIGNING_KEY", None), ("ALLOWED_HOSTS", "*"),
            ("ALLOWED_HOSTS", None), ("PUBLIC_URL", "http://learn.example"), ("DATABASE_URL", None),
            ("CERTIFICATE_SIGNING_KEY", None), ("CERTIFICATE_SIGNING_KEY", "not base64!"),
            ("CERTIFICATE_SIGNING_KEY", b64encode(b"\xff" * 32).decode()),
            ("CERTIFICATE_VERIFY_KEYS", "too-short"),
            ("DATA_ENCRYPTION_KEY", None), ("DATA_ENCRYPTION_KEY", b64encode(b"\x80" * 16).decode()),
            ("DATA_ENCRYPTION_PREVIOUS_KEYS", "not base64!"),
            ("WEBHOOKS_ALLOWED_PRIVATE", "127.0.0.1/32"),
            ("TRUSTED_PROXY_COUNT", "-1"), ("TRUSTED_PROXY_COUNT", "one"),
            ("JWT_PREVIOUS_KEYS", f"{'k' * 40},{'k' * 31}"),
            ("METRICS_TOKEN", "short"), ("METRICS_NETWORKS", "10.0.0.0/8,everywhere"),
        ],
    )  # fmt: skip
    def test_refuses_to_start_and_says_why(self, name: str, value: str | None) -> None:
        done = production(**{name: value})
        assert done.returncode != 0
        assert name in done.stderr.splitlines()[-1]

    def test_refuses_one_key_for_two_purposes(self) -> None:
        key = secrets.token_hex(48)
        done = production(SECRET_KEY=key, JWT_SIGNING_KEY=key)
        assert "must differ" in done.stderr
        assert key not in done.stderr
        key = b64encode(secrets.token_bytes(32)).decode()
        done = production(CERTIFICATE_SIGNING_KEY=key, DATA_ENCRYPTION_KEY=key)
        assert "must differ" in done.stderr
        assert key not in done.stderr
