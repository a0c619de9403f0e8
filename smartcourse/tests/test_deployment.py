"""Image and compose file run what quickstart runs, and nothing that no test has run."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.conf import settings

from smartcourse.embedded.installation import QUEUES


@pytest.fixture(scope="module")
def services() -> Any:
    return yaml.safe_load((settings.BASE_DIR / "compose.yaml").read_text())["services"]


class TestCompose:
    @pytest.mark.parametrize(
        ("service", "words"),
        [
            ("worker", ["celery", "-A", "smartcourse", "worker", "-Q", QUEUES]),
            ("beat", ["celery", "-A", "smartcourse", "beat"]),
            ("relay", ["manage.py", "relay"]),
            ("migrate", ["manage.py", "migrate"]),
        ],
    )
    def test_runs_the_commands_of_quickstart(self, services: Any, service: str, words: list[str]) -> None:
        command = services[service]["command"]
        assert [word for word in command if word in words] == words

    def test_serves_every_queue_that_there_is(self) -> None:
        assert QUEUES.split(",") == [queue.name for queue in settings.CELERY_TASK_QUEUES]

    def test_knows_callers_by_what_its_proxy_says(self, services: Any) -> None:
        assert services["web"]["environment"]["TRUSTED_PROXY_COUNT"].endswith(":-1}")
        proxy = (settings.BASE_DIR / "deploy/nginx/smartcourse.conf.template").read_text()
        assert "proxy_set_header X-Forwarded-For $remote_addr;" in proxy

    def test_has_no_password_of_its_own(self, services: Any) -> None:
        for name, service in services.items():
            for variable, value in (service.get("environment") or {}).items():
                if any(word in variable for word in ("PASSWORD", "SECRET", "KEY", "PASS")):
                    assert "${" in str(value), f"{name}: {variable}"


class TestImage:
    def test_serves_as_somebody_without_rights(self) -> None:
        lines = (settings.BASE_DIR / "Dockerfile").read_text()
        assert '"manage.py", "serve", "--host", "0.0.0.0"' in lines
        assert "--require-hashes" in lines
        assert "\nUSER " in lines


class TestLocks:
    @pytest.mark.parametrize("other", ["requirements-dev.lock", "requirements-kafka.lock"])
    def test_hold_what_the_plain_one_does(self, other: str) -> None:
        plain, more = ((settings.BASE_DIR / name).read_text() for name in ("requirements.lock", other))
        # Where it is wanted (behind the semicolon) may be said more widely, where more want it.
        pinned, known = (
            {line.split()[0] for line in lock.splitlines() if "==" in line} for lock in (plain, more)
        )
        assert pinned - known == set()
