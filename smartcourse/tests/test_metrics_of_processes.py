"""/metrics of a web server with several processes: asked of one of them, it tells what all of them did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from django.conf import settings
from django.db import connection
from prometheus_client.parser import text_string_to_metric_families

from smartcourse.embedded.processes import end_groups, free_port, wait_until
from smartcourse.tests.faults.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.full]
WORKERS, REQUESTS = 2, 200


def value(text: str | None, name: str, **labels: str) -> float:
    assert text is not None
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def health_counted(text: str | None) -> float:
    return value(text, "smartcourse_http_request_duration_seconds_count", route="api/v1/health")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(tmp_path: Path, folder: Path, db: None) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    words = ("serve", f"--port={port}", f"--workers={WORKERS}", "--threads=2", "--drain=0")
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "smartcourse.settings.development", "SMARTCOURSE_DATA": str(folder),
        "DATABASE_URL": f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}",
    }  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        assert wait_until(lambda: scraped(url) is not None, timeout=30), (tmp_path / "log").read_text()
        yield process, url
    finally:
        end_groups([process.pid], grace=0)
        process.wait(10)


def scraped(url: str) -> str | None:
    """Return what /metrics says, None where nobody does; by a new connection, which any of the processes may take."""
    try:
        answer = httpx.get(f"{url}/metrics", timeout=5)
    except httpx.TransportError:
        return None
    return answer.text if answer.is_success else None


class TestProcesses:
    def test_are_told_of_together_and_a_killed_one_takes_nothing_with_it(
        self, server: tuple[subprocess.Popen[bytes], str], folder: Path
    ) -> None:
        process, url = server
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: httpx.get(f"{url}/api/v1/health", timeout=10), range(REQUESTS)))
        assert {health_counted(scraped(url)) for _ in range(10)} == {REQUESTS}
        own = folder / "metrics" / str(process.pid)
        shares = {file.stem.rpartition("_")[2] for file in own.glob("histogram_*.db")}
        assert len(shares) == WORKERS, "both had a share in it"

        victim = next(w for w in psutil.Process(process.pid).children() if str(w.pid) in shares)
        victim.kill()
        assert wait_until(lambda: not victim.is_running() or victim.status() == "zombie", timeout=10)
        text = eventually(lambda: scraped(url), 10)
        assert health_counted(text) == REQUESTS
        assert value(text, "smartcourse_server_up") == 3
        assert 0 < value(text, "smartcourse_database_pool_connections", state="limit") <= 20 * WORKERS

    def test_leave_nothing_behind_when_they_are_asked_to_end(
        self, server: tuple[subprocess.Popen[bytes], str], folder: Path
    ) -> None:
        process, _ = server
        assert (folder / "metrics" / str(process.pid)).is_dir()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert list((folder / "metrics").iterdir()) == []
