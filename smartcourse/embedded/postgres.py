"""A launcher of PostgreSQL in the data folder, shared by whoever needs it at the same time.

Whoever uses the server holds a shared lock; the last one out stops it. So a command beside a quickstart never
loses the
database under its feet, whichever of them ends first and however it ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import psycopg
from psycopg import sql

from smartcourse.embedded.binaries import Account, postgres_programs
from smartcourse.embedded.datafolder import DataFolder, EmbeddedError, local_secret, write_private
from smartcourse.embedded.processes import ProcessRecord, free_port, send, wait_until

ROLE = DATABASE = "smartcourse"
ELSEWHERE = Path("/var/lib/smartcourse")
READY_SECONDS = 60
"""Recovery after a crash may take a while; a server that is merely starting takes a tenth of a second."""
STOP_SIGNALS = ((signal.SIGINT, 15), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))
"""Fast shutdown, immediate shutdown, the end (PostgreSQL's documentation, "Shutting Down the Server"), with
seconds for each."""
# Character classes of the whole Unicode where the system knows them; macOS has no C.UTF-8 before version 15.
CHARACTER_TYPES = ("C.UTF-8", "en_US.UTF-8", "C")
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "timezone": "UTC",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresError(EmbeddedError):
    """PostgreSQL could not be set up, started or reached."""


class Postgres:
    """The PostgreSQL of one data folder.

    `durable=False` lets it lose data in a crash of the machine, which is fine, and faster, for a test run.
    """

    name = "postgres"

    def __init__(self, folder: DataFolder, *, durable: bool = True) -> None:
        self.folder = folder
        self.settings = SETTINGS if durable else SETTINGS | FORGETFUL
        self.account = Account.of_cluster(folder.path / "postgres" / "cluster")
        self.home = self._home()
        self.cluster = self.home / "cluster"
        self._record: ProcessRecord | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._share: IO[str] | None = None
        self.port = 0

    @property
    def pid(self) -> int | None:
        """The postmaster's process id."""
        return self._record.pid if self._record else None

    @property
    def url(self) -> str:
        """The address of the platform's database, with its password."""
        return self._url(DATABASE)

    @property
    def is_elsewhere(self) -> bool:
        """Tell whether the cluster lies outside of the data folder, where PostgreSQL's user could not reach
        it.
        """
        return self.home != self.folder.path / "postgres"

    def is_alive(self) -> bool:
        """Tell whether the server that we use runs."""
        if self._child:
            # Reaps it, so that a dead one does not stay as a zombie.
            self._child.poll()
        return self._record is not None and self._record.is_alive()

    def acquire(self) -> None:
        """Take a share in the server, and start it if it does not run.

        Raises:
            PostgresError: it cannot be started.
        """
        with self._transition():
            self._share = (self.folder.path / "postgres-users.lock").open("w")
            fcntl.flock(self._share, fcntl.LOCK_SH)
            try:
                self._ensure_running()
            except BaseException:
                self._share.close()
                self._share = None
                raise

    def start(self) -> None:
        """Start a server that died, on its port.

        Raises:
            PostgresError: it cannot be started.
        """
        with self._transition():
            self._ensure_running()

    def release(self) -> bool:
        """Give the share back; tell whether that stopped the server, because nobody else has one."""
        if self._share is None:
            return False
        with self._transition():
            try:
                fcntl.flock(self._share, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            else:
                self._stop()
                return True
            finally:
                self._share.close()
                self._share = None

    def erase(self) -> None:
        """Delete the cluster; a server that a killed run left behind is stopped first.

        Raises:
            PostgresError: somebody uses it.
        """
        with self._transition(), (self.folder.path / "postgres-users.lock").open("w") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PostgresError(
                    f"A command is using the database of {self.folder.path}; let it end first."
                ) from None
            self._record = self._running()
            self._stop()
            if self.home.exists():
                shutil.rmtree(self.home)

    def _home(self) -> Path:
        """Return the folder of the cluster: in the data folder, or where root's data folder is closed to
        other users, elsewhere.
        """
        inside = self.folder.path / "postgres"
        if (inside / "cluster").exists() or self.account.can_reach(self.folder.path):
            return inside
        return ELSEWHERE / hashlib.sha256(str(self.folder.path).encode()).hexdigest()[:16]

    @contextmanager
    def _transition(self) -> Iterator[None]:
        """Start and stop one at a time, across processes."""
        with (self.folder.path / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _ensure_running(self) -> None:
        if self._child:
            # Reaps a predecessor that died.
            self._child.poll()
        self._record = self._running()
        if self._record is None:
            self._clear_remains()
            self._make_home()
            programs = postgres_programs(self.account, self.home)
            if not self.cluster.exists():
                self._create_cluster(programs)
            self._launch(programs)
        self._await_database()

    def _make_home(self) -> None:
        for folder in (self.home.parent, self.home):
            folder.mkdir(mode=0o711 if self.account.uid is not None else 0o700, parents=True, exist_ok=True)

    def _create_cluster(self, programs: Path) -> None:
        """Run initdb beside the final place and rename: a cluster that is there is whole."""
        made, password = self.home / "cluster.new", self.home / "password.new"
        failure = ""
        for ctype in CHARACTER_TYPES:
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir(mode=0o700)
            password.unlink(missing_ok=True)
            write_private(password, self._password())
            self.account.own(made)
            self.account.own(password)
            done = self._run_initdb(programs, made, password, ctype)
            password.unlink()
            if done.returncode == 0:
                made.rename(self.cluster)
                return
            failure = done.stderr.strip()
        raise PostgresError(f"initdb failed: {failure}")

    def _run_initdb(
        self, programs: Path, made: Path, password: Path, ctype: str
    ) -> subprocess.CompletedProcess[str]:
        arguments = [f"--pgdata={made}", f"--username={ROLE}", f"--pwfile={password}", "--auth=scram-sha-256"]
        arguments += ["--encoding=UTF8", "--locale=C", f"--lc-ctype={ctype}"]
        if _major_version(programs) >= 17:
            # Sorted and folded by PostgreSQL's own tables: the same on every system, whatever its C library.
            arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if "fsync" in self.settings:
            arguments += ["--no-sync"]
        command = [str(programs / "initdb"), *arguments]
        return subprocess.run(
            command,
            cwd="/",
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
            **self.account.arguments,
        )

    def _launch(self, programs: Path) -> None:
        self.port = free_port(self._recorded_port())
        (self.folder.path / "run" / "postgres.port").write_text(str(self.port))
        settings = self.settings | {"port": str(self.port)}
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.folder.log(self.name).open("ab") as log:
            self._child = subprocess.Popen(
                [str(programs / "postgres"), "-D", str(self.cluster), *arguments],
                cwd="/", env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self.account.arguments,
            )  # fmt: skip
        self._record = ProcessRecord.of(self._child.pid)

    def _recorded_port(self) -> int | None:
        try:
            return int((self.folder.path / "run" / "postgres.port").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _await_database(self) -> None:
        """Wait until the server lets us in, and see that the database exists."""
        failure = "it does not answer"

        def ready_or_dead() -> bool:
            nonlocal failure
            try:
                self._create_database()
            except psycopg.OperationalError as error:
                failure = str(error)
                return not self.is_alive() or "authentication" in failure
            failure = ""
            return True

        wait_until(ready_or_dead, timeout=READY_SECONDS)
        if failure:
            tail = self.folder.log_tail(self.name)
            self._stop()
            if "authentication" in failure:
                raise PostgresError(
                    f"The database in {self.home} was made for another password than {self.folder.path} holds: one of "
                    "the two was deleted, or restored without the other. Put back what belongs together, or delete "
                    "both: manage.py quickstart --reset"
                )
            raise PostgresError(f"PostgreSQL did not start ({failure.strip()}). The end of its log:\n{tail}")

    def _create_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True, connect_timeout=5) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _running(self) -> ProcessRecord | None:
        """Return the postmaster of our cluster, if it runs; a process that merely has its id from an old
        postmaster.pid is not it.
        """
        try:
            words = (self.cluster / "postmaster.pid").read_text().splitlines()
            process_id, port = int(words[0]), int(words[3])
            command = psutil.Process(process_id).cmdline()
        except (FileNotFoundError, ValueError, IndexError, psutil.Error):
            return None
        if str(self.cluster) not in command:
            return None
        self.port = port
        return ProcessRecord.of(process_id)

    def _clear_remains(self) -> None:
        """Remove what a killed postmaster left: backends, which keep its shared memory, and the pid file.

        PostgreSQL removes a stale file itself, except when a process of the same user has got the id since.
        """
        strays = [process for process in psutil.process_iter() if self._is_backend(process)]
        for stray in strays:
            send(stray.pid, signal.SIGQUIT)
        _, alive = psutil.wait_procs(strays, timeout=5)
        for stray in alive:
            send(stray.pid, signal.SIGKILL)
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _is_backend(self, process: psutil.Process) -> bool:
        try:
            return process.name().startswith("postgres") and process.cwd() == str(self.cluster.resolve())
        except psutil.Error:
            # In a container root may not ask where another user's process is; then the new postmaster waits
            # for it to go.
            return False

    def _stop(self) -> None:
        if self._record is None:
            return
        for number, seconds in STOP_SIGNALS:
            if self.is_alive():
                send(self._record.pid, number)
                wait_until(lambda: not self.is_alive(), timeout=seconds)
        self._record = None

    def _password(self) -> str:
        return local_secret(self.folder.path, "postgres_password")

    def _url(self, database: str) -> str:
        return f"postgres://{ROLE}:{self._password()}@127.0.0.1:{self.port}/{database}"


def _environment() -> dict[str, str]:
    """The environment of PostgreSQL: none of our secrets, no PG* variable that would change its mind."""
    return {"PATH": os.defpath, "LC_ALL": "C"}


def _major_version(programs: Path) -> int:
    said = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    # postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)
    return int(said.split()[2].split(".")[0])
