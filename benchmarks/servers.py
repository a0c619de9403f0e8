"""Servers of a benchmark's own, and the product's processes beside it; all of it ends with the benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smartcourse.embedded.datafolder import DataFolder
from smartcourse.embedded.postgres import Postgres
from smartcourse.embedded.valkey import start_valkey, valkey_url

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def servers() -> Iterator[None]:
    """Run PostgreSQL (which syncs to disk, as in earnest) and Valkey, and name them in the environment."""
    with tempfile.TemporaryDirectory(prefix="smartcourse-benchmark-") as place:
        # PostgreSQL runs as another user where this one is root, and has to get in.
        Path(place).chmod(0o711)
        folder = DataFolder(Path(place) / "data").claim()
        postgres = Postgres(folder)
        postgres.acquire()
        valkey = start_valkey(folder)
        os.environ |= {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey_url(folder) or "",
            "SMARTCOURSE_DATA": str(folder.path),
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        }
        try:
            yield
        finally:
            valkey.end()
            postgres.release()
            postgres.erase()


@contextmanager
def process(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of the product within the context, its output in a file that is shown when it fails."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield child
            if child.poll() is not None:
                log.seek(0)
                raise RuntimeError(f"{' '.join(words)} ended:\n{log.read().decode()[-2000:]}")
        finally:
            child.terminate()
            child.wait(30)
