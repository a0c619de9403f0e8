"""The data folder: what a SmartCourse on one machine keeps between two starts, and who may read it.

.smartcourse-data   the mark that the folder is ours to empty
*.lock              who is at work here (flock: gone with its process, whatever killed it)
secret_key ...      random secrets, made once, 0600
postgres/ valkey/   the servers' own files
run/NAME.json       running children: process id, moment of start
logs/NAME.log       what they say
mail/ media/        what the platform writes in development
quickstart.json     addresses and accounts, while a quickstart runs
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartcourse.embedded.processes import ProcessRecord

PROJECT_ROOT = Path(__file__).resolve().parents[2]
DEFAULT_FOLDER = PROJECT_ROOT / ".smartcourse"
MARK = ".smartcourse-data"
MARK_TEXT = "This folder belongs to SmartCourse; `manage.py quickstart --reset` empties it.\n"
PRIVATE = ("run", "logs", "mail", "media", "valkey")
DEMO_SECRET = "demo_secret"  # noqa: S105 - the name of a file
"""The name of the secret that the demo accounts' passwords are made from, by quickstart and by `seed_demo`."""
SECRET_BYTES = 48
"""64 characters in base64."""


class EmbeddedError(Exception):
    """What a person at the terminal is told, in a sentence, when the embedded servers cannot do their
    work.
    """


class ForeignFolderError(EmbeddedError):
    """The folder holds other things than a SmartCourse's data."""


class FolderInUseError(EmbeddedError):
    """Another process is at work in the data folder."""


@dataclass(frozen=True)
class DataFolder:
    """One data folder, by its absolute path."""

    path: Path

    def claim(self) -> DataFolder:
        """Make the folder ours: create it and its private parts, or know it again by its mark.

        Raises:
            ForeignFolderError: it is not ours and not empty, or may not be written.
        """
        try:
            # PostgreSQL runs as another user where we are root, and must pass through; nobody may list the
            # folder.
            self.path.mkdir(parents=True, exist_ok=True)
            if not os.access(self.path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if not (self.path / MARK).exists():
                self._mark()
            for name in PRIVATE:
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ForeignFolderError(
                f"The data folder {self.path} cannot be used: {error.strerror}."
            ) from error
        return self

    def _mark(self) -> None:
        # The mark may have come this moment, from a command that starts beside us.
        found = sorted(entry.name for entry in self.path.iterdir() if entry.name != MARK)
        if found:
            raise ForeignFolderError(
                f"{self.path} is not empty and not a SmartCourse data folder "
                f"(it holds {', '.join(found[:3])}); name another."
            )
        self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        (self.path / MARK).write_text(MARK_TEXT)

    @property
    def announcement(self) -> Path:
        """The file that tells other programs what a running quickstart serves."""
        return self.path / "quickstart.json"

    def log(self, name: str) -> Path:
        """Return the log file of a child."""
        return self.path / "logs" / f"{name}.log"

    def log_tail(self, name: str, *, lines: int = 12) -> str:
        """Return the last lines of a child's log, for an error message."""
        try:
            return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def set_logs_aside(self) -> None:
        """Keep the logs of the run before, and of that one only, as `NAME.previous.log`."""
        for log in (self.path / "logs").glob("*.log"):
            if not log.name.endswith(".previous.log"):
                log.rename(log.with_suffix(".previous.log"))

    def remember(self, name: str, process_id: int, **more: Any) -> None:
        """Record a running child under its name; `more` are words for who looks for it, such as its port."""
        record = ProcessRecord.of(process_id)
        if record is not None:
            content = {"pid": record.pid, "started": record.started, **more}
            write_atomically(self.path / "run" / f"{name}.json", json.dumps(content))

    def recall(self, name: str) -> tuple[ProcessRecord, dict[str, Any]] | None:
        """Return the record of a child, running or not, and the words kept with it."""
        try:
            content = json.loads((self.path / "run" / f"{name}.json").read_text())
            return ProcessRecord(pid=content.pop("pid"), started=content.pop("started")), content
        except (FileNotFoundError, ValueError, KeyError):
            return None

    def remembered(self) -> list[str]:
        """Return the names of all children on record."""
        return sorted(record.stem for record in (self.path / "run").glob("*.json"))

    def forget(self, name: str) -> None:
        """Strike a child off the record."""
        (self.path / "run" / f"{name}.json").unlink(missing_ok=True)

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Hold the lock of that name alone; wait for nobody.

        Raises:
            FolderInUseError: another process holds it.
        """
        with (self.path / f"{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FolderInUseError(f"Another {name} is at work in {self.path}.") from None
            yield

    def empty(self) -> None:
        """Delete everything in the folder except its mark and its locks, which are held while this
        happens.
        """
        if not (self.path / MARK).exists():
            raise ForeignFolderError(f"{self.path} is not a SmartCourse data folder.")
        for entry in self.path.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != MARK and entry.suffix != ".lock":
                entry.unlink()
        self.claim()


def local_secret(data: Path, name: str) -> str:
    """Return the secret of that name in the data folder: 64 random characters, made at the first call,
    readable by its owner only.

    Raises:
        ForeignFolderError: the folder holds other things, or may not be written.
    """
    path = DataFolder(data.absolute()).claim().path / name
    if not path.exists():
        made = path.with_name(f".{name}.{secrets.token_hex(4)}")
        write_private(made, secrets.token_urlsafe(SECRET_BYTES))
        try:
            # Unlike a rename, a link never replaces the secret that another process made a moment ago.
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text().strip()


def write_atomically(path: Path, text: str) -> None:
    """Replace the file whole, readable by its owner only; a reader finds the old text or the new, never
    half.
    """
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_private(made, text)
    made.replace(path)


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner may read, at no moment otherwise."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
