"""A pytest plugin that gives a test run servers of its own: PostgreSQL and Valkey by the launcher of
`smartcourse.embedded`.

Loaded by `-p smartcourse.testing.servers`, before pytest-django reads the settings. The controller starts the
servers; the
processes of pytest-xdist inherit their addresses. `DATABASE_URL` and `REDIS_URL`, where set, are used
instead.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator, MutableMapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

import pytest

from smartcourse.embedded.datafolder import DataFolder
from smartcourse.embedded.postgres import Postgres
from smartcourse.embedded.supervisor import Child, end_leftovers
from smartcourse.embedded.valkey import start_valkey, valkey_url

WORKER_VARIABLE = "PYTEST_XDIST_WORKER"


class TestServers:
    """The servers of one test run, in a temporary folder that goes with them."""

    __test__ = False

    def __init__(self) -> None:
        self.folder = DataFolder(Path(tempfile.mkdtemp(prefix="run-", dir=runs_folder())))
        self._lock: IO[str] | None = None
        self._postgres: Postgres | None = None
        self._valkey: Child | None = None

    def start(self, environ: MutableMapping[str, str]) -> None:
        """Start what `environ` names no server for, and name it there."""
        self._lock = (self.folder.claim().path / "owner.lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if not environ.get("DATABASE_URL"):
            self._postgres = Postgres(self.folder, durable=False)
            self._postgres.acquire()
            environ["DATABASE_URL"] = self._postgres.url
        if not environ.get("REDIS_URL"):
            self._valkey = start_valkey(self.folder)
            environ["REDIS_URL"] = valkey_url(self.folder) or ""

    def stop(self) -> None:
        """Stop them and delete their files; a second call does nothing."""
        if self._lock is None:
            return
        if self._valkey:
            self._valkey.end()
        if self._postgres:
            self._postgres.release()
        remove(self.folder)
        self._lock.close()
        self._lock = None


def runs_folder() -> Path:
    """Return the folder of this user's test runs; it is ours alone, whoever else may write beside it."""
    folder = Path(tempfile.gettempdir()) / f"smartcourse-tests-{os.geteuid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        return Path(tempfile.mkdtemp(prefix="smartcourse-tests-"))
    return folder


def remove(folder: DataFolder) -> None:
    """Delete a run's files with its cluster, wherever that lies."""
    Postgres(folder).erase()
    shutil.rmtree(folder.path)


def sweep_killed_runs() -> None:
    """Stop the servers of runs that were killed, and delete their files; a run that lives holds its lock."""
    for path in runs_folder().glob("run-*"):
        if not (path / "owner.lock").exists():
            continue
        with (path / "owner.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            end_leftovers(DataFolder(path))
            remove(DataFolder(path))


def redis_url_of_worker(url: str, worker: str) -> str:
    """Return the address with a database of its own for a process of pytest-xdist (`gw0`, `gw1`, ...)."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{int(worker.removeprefix('gw')) + 1}"))


_running: list[TestServers] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Start the servers ahead of every other plugin's preparations, among them pytest-django's reading of the
    settings.
    """
    options = early_config.known_args_namespace
    if worker := os.environ.get(WORKER_VARIABLE):
        os.environ["REDIS_URL"] = redis_url_of_worker(os.environ["REDIS_URL"], worker)
    elif not (options.help or options.version):
        _start()
    return (yield)


def _start() -> None:
    sweep_killed_runs()
    servers = TestServers()
    _running.append(servers)
    # For an end before pytest has been configured; otherwise `pytest_unconfigure` comes first.
    atexit.register(servers.stop)
    servers.start(os.environ)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop the servers after the last test."""
    for servers in _running:
        servers.stop()
