"""F22, at the edge: web servers are replaced behind nginx as shipped, which asks nobody whether he is ready."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from smartcourse.embedded.processes import end_groups, free_port
from smartcourse.tests.faults.waiting import eventually
from smartcourse.tests.nginx import needs_nginx, nginx

ROUNDS, THREADS, DRAIN = 3, 4, 1.0
READY_SECONDS, ENDED_WITHIN = 60, 15


class WebServer:
    """One `manage.py serve`, which is started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.start()

    def start(self) -> None:
        words = ("serve", f"--port={self.port}", "--workers=1", "--threads=2", f"--drain={DRAIN}")
        with (self.folder / f"{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", *words],
                cwd=settings.BASE_DIR, env={**os.environ, "RATE_LIMITS_ENABLED": "false"},
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        eventually(self._answers, READY_SECONDS, "it did not start")

    def replace(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        eventually(lambda: self.process.poll() is not None, ENDED_WITHIN, "it did not end")
        self.start()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/api/v1/health", timeout=5).is_success
        except httpx.TransportError:
            return False


@pytest.fixture
def webs(tmp_path: Path) -> Iterator[list[WebServer]]:
    webs: list[WebServer] = []
    try:
        webs += [WebServer(tmp_path), WebServer(tmp_path)]
        yield webs
    finally:
        end_groups([web.process.pid for web in webs], grace=0)
        for web in webs:
            web.process.wait(10)


@pytest.mark.full
@needs_nginx
class TestSigtermBehindNginx:
    def test_fails_no_post(
        self, webs: list[WebServer], tmp_path_factory: Any, figures: Callable[[str], None]
    ) -> None:
        told: Counter[str] = Counter()
        over = threading.Event()

        def post(site: str) -> None:
            # Refused by the web server itself, which is an answer, and needs no database.
            with httpx.Client(base_url=f"{site}/api/v1/", timeout=20) as client:
                while not over.is_set():
                    answer = client.post("auth/login", json={})
                    told[f"{answer.status_code} {answer.json()['code']}"] += 1
                    time.sleep(0.005)

        folder = tmp_path_factory.mktemp("nginx")
        with nginx(folder, [web.port for web in webs]) as site:
            threads = [threading.Thread(target=post, args=(site,)) for _ in range(THREADS)]
            for thread in threads:
                thread.start()
            for web in webs * ROUNDS:
                before = told.total()
                web.replace()
                assert told.total() > before, "there was a load meanwhile"
            over.set()
            for thread in threads:
                thread.join()
        figures(
            f"F22 behind nginx: {told.total()} POSTs while web servers ended {2 * ROUNDS} times: {dict(told)}"
        )
        assert set(told) == {"400 invalid"}, "\n".join((folder / "error.log").read_text().splitlines()[-20:])
