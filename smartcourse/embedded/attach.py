"""How a `manage.py` command finds the servers of the data folder before Django reads its settings."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from smartcourse.embedded.datafolder import DEFAULT_FOLDER, DataFolder
from smartcourse.embedded.postgres import Postgres
from smartcourse.embedded.supervisor import DATA_VARIABLE
from smartcourse.embedded.valkey import valkey_url

DEVELOPMENT = "smartcourse.settings.development"
# `quickstart` starts its servers itself; the others do not look into the database.
WITHOUT_DATABASE = frozenset({
    "help", "version", "quickstart", "check", "collectstatic", "compilemessages", "diffsettings",
    "findstatic", "makemessages", "spectacular", "startapp", "startproject",
})  # fmt: skip


@contextmanager
def attach(environ: MutableMapping[str, str], argv: Sequence[str]) -> Iterator[None]:
    """Within the context, `environ` names the data folder and its servers, for development settings and where
    it names no others.

    PostgreSQL is started for as long as somebody uses it; Valkey is used if it runs.

    Raises:
        EmbeddedError: the data folder cannot be used, or the database not be started.
    """
    settings = option(argv, "settings") or environ.get("DJANGO_SETTINGS_MODULE")
    if settings != DEVELOPMENT:
        yield
        return
    folder = data_folder(environ, argv).claim()
    environ[DATA_VARIABLE] = str(folder.path)
    if not needs_database(argv) or environ.get("DATABASE_URL"):
        yield
        return
    with _own_database(environ, folder):
        yield


@contextmanager
def _own_database(environ: MutableMapping[str, str], folder: DataFolder) -> Iterator[None]:
    postgres = Postgres(folder)
    with _sigterm_as_exit():
        try:
            postgres.acquire()
            environ["DATABASE_URL"] = postgres.url
            if not environ.get("REDIS_URL") and (url := valkey_url(folder)):
                environ["REDIS_URL"] = url
            yield
        finally:
            postgres.release()


def needs_database(argv: Sequence[str]) -> bool:
    """Tell whether the command of that command line may look into the database."""
    command = argv[1] if len(argv) > 1 else "help"
    if {"-h", "--help", "--version"} & set(argv):
        return False
    return command not in WITHOUT_DATABASE or (
        command == "check" and any(word.startswith("--database") for word in argv)
    )


def data_folder(environ: MutableMapping[str, str], argv: Sequence[str]) -> DataFolder:
    """Return the data folder that the command means: `--data` of quickstart, else SMARTCOURSE_DATA, else the
    project's own.
    """
    named = option(argv, "data") if argv[1:2] == ["quickstart"] else None
    return DataFolder(Path(named or environ.get(DATA_VARIABLE) or DEFAULT_FOLDER).absolute())


def option(argv: Sequence[str], name: str) -> str | None:
    """Return the value of `--name value` or `--name=value` on a command line."""
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        if word == f"--{name}":
            return following or None
        if word.startswith(f"--{name}="):
            return word.partition("=")[2] or None
    return None


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """Let SIGTERM end the command as an exit does, so that the share in the database is given back."""

    def leave(number: int, frame: FrameType | None) -> None:
        # A second one must not interrupt the giving back.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(128 + number)

    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    ):
        yield
        return
    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
