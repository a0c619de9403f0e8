"""`manage.py quickstart`: the whole of SmartCourse on one machine, from nothing, until Ctrl-C."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from smartcourse.embedded.datafolder import DEMO_SECRET, DataFolder, EmbeddedError, local_secret
from smartcourse.embedded.installation import Account, Installation, Servers
from smartcourse.embedded.postgres import Postgres
from smartcourse.embedded.processes import is_free
from smartcourse.embedded.readiness import web_is_healthy, worker_answers
from smartcourse.embedded.supervisor import (
    Child,
    ChildError,
    Signals,
    StopRequested,
    Supervisor,
    end_leftovers,
    run_step,
)
from smartcourse.embedded.valkey import start_valkey, valkey_url

PLATFORM = ("web", "worker", "relay", "beat")
STEP_SECONDS = 600
READY_SECONDS = 90
SETTLED_SECONDS = 2.0
"""Who cannot run dies of it while it imports; who lives this long is taken to run."""
TOO_MANY_DEATHS = 4
LABEL_WIDTH = 16
LAST_PORT = 65_535


def port_number(text: str) -> int:
    """Return the TCP port that the text names.

    Raises:
        ArgumentTypeError: it names none that a server can have.
    """
    if not text.isdecimal() or not 1 <= int(text) <= LAST_PORT:
        raise ArgumentTypeError(f"a port is a number from 1 to {LAST_PORT}, not {text!r}")
    return int(text)


class Command(BaseCommand):
    """Start PostgreSQL, Valkey, web, relay, worker and beat, and watch over them."""

    help = "Start PostgreSQL, Valkey, web, relay, worker and beat here, with demo content, until Ctrl-C."
    # The database is not there yet; the steps check it.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--port", type=port_number, default=8000, help="port of the web server on 127.0.0.1 (8000)"
        )
        parser.add_argument(
            "--data", default="", help="data folder (SMARTCOURSE_DATA, else .smartcourse in the project)"
        )
        parser.add_argument(
            "--reset", action="store_true", help="empty the data folder first, its database too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until the end is asked for."""
        folder = DataFolder(Path(options["data"] or settings.DATA_DIR).absolute())
        try:
            with folder.claim().alone("quickstart"), Signals() as signals:
                Quickstart(self, folder, signals, port=options["port"]).run(reset=options["reset"])
        except EmbeddedError as error:
            raise CommandError(str(error)) from error

    def confirm(self, question: str) -> None:
        """Ask a person, where there is one.

        Raises:
            CommandError: the answer is not yes.
        """
        if sys.stdin.isatty() and input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was changed.")


class Quickstart:
    """One run of the command."""

    def __init__(self, command: Command, folder: DataFolder, signals: Signals, *, port: int) -> None:
        self.command = command
        self.folder = folder
        self.port = port
        self.supervisor = Supervisor(signals, on_restart=self._after_restart)
        self.postgres: Postgres | None = None
        self.accounts: list[Account] = []
        self.installation: Installation | None = None
        """Known to the outside (in quickstart.json) once it is set here."""

    def run(self, *, reset: bool) -> None:
        """Start all, serve until the end is asked for, stop all."""
        began_at = time.monotonic()
        self._say(f"SmartCourse, data in {self.folder.path}\n")
        if reset:
            self._reset()
        self._clear_remains()
        try:
            installation = self._start_servers()
            self._start_platform(installation)
            self._await_platform(installation)
            self._present(installation, seconds=time.monotonic() - began_at)
            self.supervisor.run()
        except StopRequested:
            pass
        finally:
            self._stop()

    def _reset(self) -> None:
        self.command.confirm(f"Delete everything in {self.folder.path}?")
        with self._step("Reset") as done:
            end_leftovers(self.folder)
            Postgres(self.folder).erase()
            self.folder.empty()
            done("the data folder is empty")

    def _clear_remains(self) -> None:
        """End the children of a killed run, and see that the port is free."""
        self.folder.announcement.unlink(missing_ok=True)
        if left := end_leftovers(self.folder):
            self._say(f"  Ended what an earlier run left behind: {', '.join(left)}.")
        self.folder.set_logs_aside()
        if not is_free(self.port):
            raise EmbeddedError(
                f"Port {self.port} is taken; name another: manage.py quickstart --port {self.port + 1}"
            )

    def _start_servers(self) -> Installation:
        """Start PostgreSQL and Valkey at the same time, where the environment names no others."""
        with ThreadPoolExecutor() as pool:
            database = pool.submit(lambda: os.environ.get("DATABASE_URL") or self._start_postgres())
            redis = pool.submit(lambda: os.environ.get("REDIS_URL") or self._start_valkey())
            with self._step("PostgreSQL") as done:
                done(_place(database.result()))
            if self.postgres and self.postgres.is_elsewhere:
                self._say(
                    f"  Its files are in {self.postgres.home}: "
                    "the user that it runs as may not enter the data folder's parents."
                )
            with self._step("Valkey") as done:
                done(_place(redis.result()))
        broker_url = os.environ.get("CELERY_BROKER_URL") or redis.result()
        return Installation(self.folder, self.port, Servers(database.result(), redis.result(), broker_url))

    def _start_postgres(self) -> str:
        self.postgres = Postgres(self.folder)
        self.postgres.acquire()
        self.supervisor.watch(self.postgres)
        return self.postgres.url

    def _start_valkey(self) -> str:
        self.supervisor.watch(start_valkey(self.folder))
        return valkey_url(self.folder) or ""

    def _start_platform(self, installation: Installation) -> None:
        """Migrate, start what serves, and load the demo content meanwhile where this database has none
        yet.
        """
        with self._step("Migrations") as done:
            run_step(
                installation.manage("migrate", "migrate", "--noinput"),
                self.folder,
                self.supervisor,
                timeout=STEP_SECONDS,
            )
            done("up to date")
        for command in installation.platform():
            child = Child(command, self.folder)
            child.start()
            self.supervisor.watch(child)
        seeded = self.folder.path / f"seeded-{self._database_name(installation)}"
        with self._step("Demo content") as done:
            if seeded.exists():
                done("loaded by an earlier run")
                return
            run_step(
                installation.manage("seed", "seed_demo"), self.folder, self.supervisor, timeout=STEP_SECONDS
            )
            seeded.touch()
            done("loaded")

    def _database_name(self, installation: Installation) -> str:
        """Name the database in the folder's memory of what has been seeded; our own changes its port."""
        if self.postgres:
            return self.postgres.name
        parts = urlsplit(installation.servers.database_url)
        return hashlib.sha256(f"{parts.hostname}:{parts.port}{parts.path}".encode()).hexdigest()[:16]

    def _await_platform(self, installation: Installation) -> None:
        """Wait until the web server and the worker answer, and the others have settled.

        Raises:
            ChildError: one of them does not come up.
        """
        broker_url, node = installation.servers.broker_url, installation.worker_node
        self._await_child("web", lambda: web_is_healthy(self.port), f"answers on {installation.url}")
        self._await_child("worker", lambda: worker_answers(broker_url, node), "answers")
        for name in ("relay", "beat"):
            self._await_child(name, partial(self.supervisor.has_settled, name, SETTLED_SECONDS), "runs")

    def _await_child(self, name: str, answers: Callable[[], bool], words: str) -> None:
        def up_or_hopeless() -> bool:
            return self.supervisor.deaths(name) >= TOO_MANY_DEATHS or answers()

        with self._step(name.capitalize()) as done:
            came = self.supervisor.wait_for(up_or_hopeless, timeout=READY_SECONDS)
            if not came or self.supervisor.deaths(name) >= TOO_MANY_DEATHS:
                raise ChildError(
                    f"{name} does not come up. The end of its log:\n{self.folder.log_tail(name)}"
                )
            done(words)

    def _present(self, installation: Installation, *, seconds: float) -> None:
        """Tell people and programs what is served."""
        # Late: the demo's module stands above this command's imports, and only a running platform has use for
        # it.
        from smartcourse.demo.accounts import demo_accounts

        self.accounts = [
            Account(role=one.role, email=one.email, password=one.password)
            for one in demo_accounts(local_secret(self.folder.path, DEMO_SECRET))
        ]
        self._say(f"\nReady after {seconds:.1f} s.\n")
        self._say(f"  {'API docs':{LABEL_WIDTH}} {installation.addresses['docs_url']}")
        self._say(f"  {'Admin':{LABEL_WIDTH}} {installation.addresses['admin_url']}\n")
        width = max(len(account.email) for account in self.accounts) + 2
        for account in self.accounts:
            self._say(f"  {account.role:{LABEL_WIDTH}} {account.email:{width}} {account.password}")
        self._say(
            f"\n  Logs in {self.folder.path / 'logs'}, mails in {self.folder.path / 'mail'}."
            "\n  Ctrl-C stops everything.\n"
        )
        self.installation = installation
        self._announce()

    def _announce(self) -> None:
        if self.installation:
            known = self.supervisor.process_ids()
            processes = {
                name: known.get(name) for name in ("postgres", "valkey", "web", "relay", "worker", "beat")
            }
            self.installation.announce(
                accounts=self.accounts, processes={"quickstart": os.getpid(), **processes}
            )

    def _after_restart(self, name: str) -> None:
        process_id = self.supervisor.process_ids()[name]
        self._say(f"  {time.strftime('%H:%M:%S')}  {name} had ended; it runs again as process {process_id}.")
        self._announce()

    def _stop(self) -> None:
        """Stop what serves, then what it stands on; the database stays while another command uses it."""
        self.installation = None
        self.folder.announcement.unlink(missing_ok=True)
        self._say("Stopping.")
        self.supervisor.stop(*PLATFORM)
        self.supervisor.stop("valkey", "postgres")
        if self.postgres and self.postgres.is_alive() and not self.postgres.release():
            self._say("PostgreSQL runs on until the command that uses it ends.")
        self._say("Stopped.")

    @contextmanager
    def _step(self, label: str) -> Iterator[Callable[[str], None]]:
        """Show a step: its name when it begins, what came of it, and how long it took when it ends."""
        began_at = time.monotonic()
        self._say(f"  {label:{LABEL_WIDTH}} ", ending="")
        outcome = "failed"

        def done(words: str) -> None:
            nonlocal outcome
            outcome = words

        try:
            yield done
        finally:
            self._say(f"{outcome:48} {time.monotonic() - began_at:5.1f} s")

    def _say(self, words: str, *, ending: str = "\n") -> None:
        # Django's own ending is left out where the words end in a blank line of ours.
        self.command.stdout.write(words + ending, ending="")
        self.command.stdout.flush()


def _place(url: str) -> str:
    """Return host and port of a server's address, without its password."""
    parts = urlsplit(url)
    return f"on {parts.hostname}:{parts.port}" if parts.port else f"on {parts.hostname}"
