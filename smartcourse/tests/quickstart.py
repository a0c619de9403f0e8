"""A running quickstart, as `make run` starts it, in a folder of the test's own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smartcourse.embedded.datafolder import PROJECT_ROOT, DataFolder
from smartcourse.embedded.postgres import Postgres

START_SECONDS = 90
# What quickstart would otherwise take from whoever runs us, instead of its own.
NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE", "EMAIL_URL")


def environment_of(data: Path, **more: str) -> dict[str, str]:
    """Return the environment of an installation in that folder, with limits off."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return {**inherited, "SMARTCOURSE_DATA": str(data), "RATE_LIMITS_ENABLED": "false", **more}


@contextmanager
def quickstart(data: Path, environment: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Within the context, quickstart runs in that empty folder; give what its quickstart.json says.

    Raises:
        RuntimeError: it ended, or was not ready within 90 seconds.
    """
    with (data.parent / "quickstart.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "quickstart", "--port", str(free_port()), "--data", str(data)],
            cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield _announced(data, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        # For root it lies outside of the folder, which whoever made the folder does not know.
        Postgres(DataFolder(data)).erase()


def _announced(data: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    announcement, deadline = data / "quickstart.json", time.monotonic() + START_SECONDS
    while not announcement.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError((data.parent / "quickstart.log").read_text())
        time.sleep(0.05)
    said: dict[str, Any] = json.loads(announcement.read_text())
    return said


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
