"""`manage.py serve`: asked to end, it says so where balancers ask, and serves on for a while."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from smartcourse.embedded.processes import end_groups, free_port, wait_until

pytestmark = pytest.mark.slow


def answer(port: int, path: str) -> httpx.Response | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=5)
    except httpx.TransportError:
        return None


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(port: int, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = ("serve", f"--port={port}", "--workers=1", "--threads=1", "--drain=60")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=settings.BASE_DIR, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    assert wait_until(lambda: answer(port, "health") is not None, timeout=30), (tmp_path / "log").read_text()
    yield process
    end_groups([process.pid], grace=0)
    process.wait(10)


class TestServe:
    def test_is_no_longer_ready_serves_on_and_ends_when_asked_again(
        self, server: subprocess.Popen[bytes], port: int
    ) -> None:
        ready = answer(port, "ready")
        assert ready is not None
        assert ready.json()["status"] != "draining"
        assert "Connection" not in ready.headers, "it is kept for the next request"

        server.send_signal(signal.SIGTERM)

        def is_draining() -> bool:
            found = answer(port, "ready")
            return found is not None and (found.status_code, found.json()["status"]) == (503, "draining")

        assert wait_until(is_draining, timeout=10)
        health = answer(port, "health")
        assert health is not None
        assert (health.status_code, health.headers["Connection"]) == (200, "close")
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
        assert answer(port, "health") is None
