"""Tasks for tests with real workers; what they did is in a file."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded


def note(path: str, word: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{word}\n")


@shared_task(name="probes.do", time_limit=20, soft_time_limit=19)
def do(*, path: str, **_newer: Any) -> None:
    note(path, "done")


@shared_task(name="probes.die_once", time_limit=20, soft_time_limit=19)
def die_once(*, path: str, **_newer: Any) -> None:
    """Is killed as the kernel kills who takes too much memory; and is well the next time."""
    if not Path(path).exists():
        note(path, "killed")
        os.kill(os.getpid(), signal.SIGKILL)
    note(path, "done")


@shared_task(name="probes.die_with_worker", time_limit=20, soft_time_limit=19)
def die_with_worker(*, path: str, **_newer: Any) -> None:
    """Takes the whole worker along, as a machine does that is switched off; and is well the next time."""
    if not Path(path).exists():
        note(path, "killed")
        os.killpg(os.getpgrp(), signal.SIGKILL)
    note(path, "done")


@shared_task(name="probes.die_always", time_limit=20, soft_time_limit=19)
def die_always(*, path: str, **_newer: Any) -> None:
    note(path, "killed")
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(name="probes.raise_until_mended", time_limit=20, soft_time_limit=19)
def raise_until_mended(*, path: str, **_newer: Any) -> None:
    note(path, "tried")
    if not Path(f"{path}.mended").exists():
        raise LookupError("the thing is not there")
    note(path, "done")


@shared_task(name="probes.never_end", time_limit=2, soft_time_limit=1)
def never_end(*, path: str, **_newer: Any) -> None:
    note(path, "begun")
    while True:
        with contextlib.suppress(SoftTimeLimitExceeded):
            time.sleep(0.1)


@shared_task(name="probes.wait", time_limit=20, soft_time_limit=19)
def wait(*, path: str, **_newer: Any) -> None:
    """Goes on once it is told to."""
    note(path, "begun")
    while not Path(f"{path}.mended").exists():
        time.sleep(0.05)
    note(path, "done")
