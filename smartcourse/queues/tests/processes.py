"""Celery processes for a test: on its database and its broker, ended with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from smartcourse.embedded.processes import wait_until
from smartcourse.queues.tests.conftest import DELIVERY_LIMIT


def database_url() -> str:
    """Return the address of the test's database."""
    name = connection.settings_dict["NAME"]
    return os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"


class CeleryProcess:
    """A worker or a beat, its log in a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def send(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)

    def wait_for(self, words: str, timeout: float = 20) -> None:
        assert wait_until(lambda: words in self.log, timeout=timeout), self.log[-3000:]


@contextmanager
def celery(
    *arguments: str, broker: str, folder: Path, name: str, **environment: str
) -> Iterator[CeleryProcess]:
    """Run `celery -A smartcourse` with these arguments, and kill its group in the end."""
    log = folder / f"{name}.log"
    given = {
        "DJANGO_SETTINGS_MODULE": "smartcourse.settings.development",
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": broker,
        "SMARTCOURSE_DATA": str(folder / "data"),
        "TASK_DELIVERY_LIMIT": str(DELIVERY_LIMIT),
        "TASK_RETRY_SECONDS": "1,1,1",
        "TASK_RETRY_JITTER": "0",
        **environment,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "smartcourse", *arguments, "-l", "INFO"],
            env={**os.environ, **given}, cwd=settings.BASE_DIR, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield CeleryProcess(process, log)
        finally:
            for number in (signal.SIGCONT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            process.wait()
