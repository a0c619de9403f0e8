"""An installation of the faults' own: its servers, and the processes of the platform, each to be killed by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
from psycopg.rows import dict_row

from smartcourse.embedded.datafolder import PROJECT_ROOT, DataFolder
from smartcourse.embedded.installation import Installation, Servers
from smartcourse.embedded.processes import free_port, send, started_at
from smartcourse.embedded.supervisor import DATA_VARIABLE, Child, Command
from smartcourse.tests.faults.mail import Mailbox
from smartcourse.tests.faults.proxy import Proxy
from smartcourse.tests.faults.waiting import eventually

SETTINGS = "smartcourse.tests.faults.settings"
READY_SECONDS = 60
# Debian's libfaketime, where it is installed.
FAKE_TIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
DRAIN_SECONDS = 1.5
# Of the run that starts us, and not for the children: theirs are the installation's own.
NOT_INHERITED = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "TASKS_INLINE")


@dataclass(frozen=True)
class Place:
    """Where an installation lives: its folder and its servers, the broker (and Redis, if asked for) behind a proxy."""

    folder: DataFolder
    database_url: str
    redis_url: str
    broker_url: str
    email_url: str
    broker: Proxy
    mailbox: Mailbox
    redis: Proxy | None = None

    @property
    def kind(self) -> str:
        """The broker's name."""
        return "RabbitMQ" if self.broker_url.startswith("amqp") else "Valkey"


class Platform:
    """The processes `web1`, `worker1`, `worker2`, `relay1`, `beat1`, ... of one installation.

    `patience` is the environment that sets how long the platform waits before it tries again and takes over.
    """

    def __init__(self, place: Place, patience: Mapping[str, str]) -> None:
        self.place = place
        self.mailbox, self.broker, self.kind = place.mailbox, place.broker, place.kind
        self.ports: dict[str, int] = {}
        # By how much the clock of a process is wrong, as libfaketime has it ("+30d"), from its next start.
        self.clocks: dict[str, str] = {}
        self._patience = dict(patience)
        self._children: dict[str, Child] = {}
        self._agent: subprocess.Popen[str] | None = None
        self._asking = threading.Lock()

    # The processes

    def start(self, *names: str) -> None:
        """Start the processes of these names that do not run, and wait until each is at work."""
        started = [name for name in names if not self.runs(name)]
        for name in started:
            self.place.folder.log(name).unlink(missing_ok=True)
            self._child(name).start()
        for name in started:
            eventually(lambda name=name: self._is_ready(name), READY_SECONDS, f"{name} did not start")

    def only(self, *names: str) -> None:
        """Have these processes run, and no others."""
        for name in [name for name in self._children if name not in names]:
            self._children[name].end()
        self.start(*names)

    def runs(self, name: str) -> bool:
        return name in self._children and self._children[name].is_alive()

    def pid(self, name: str) -> int:
        """Return the id of the leader, which is also its group's."""
        pid = self._children[name].pid
        assert pid is not None, f"{name} was never started"
        return pid

    def kill(self, name: str) -> None:
        """Kill a process with its children, as -9 and the machine's end do."""
        self._children[name].end()

    def forget(self, name: str) -> None:
        """Kill a process, and have its next start be like its first."""
        if name in self._children:
            self._children.pop(name).end()

    def terminate(self, *names: str, within: float) -> dict[str, float]:
        """Ask processes to end, together, and return after how many seconds each had; look into their logs yourself.

        Raises:
            AssertionError: one took longer.
        """
        begun, ended = time.monotonic(), dict[str, float]()
        for name in names:
            send(self.pid(name), signal.SIGTERM)

        def look() -> bool:
            for name in names:
                if name not in ended and not self.runs(name):
                    ended[name] = time.monotonic() - begun
            return len(ended) == len(names)

        eventually(look, within, f"of {', '.join(names)} not all ended")
        for name in names:
            self._children[name].end()
        return ended

    def freeze(self, name: str) -> None:
        """Stop a process with its children where they stand."""
        send(self.pid(name), signal.SIGSTOP, to_group=True)

    def thaw(self, name: str) -> None:
        """Let it go on."""
        send(self.pid(name), signal.SIGCONT, to_group=True)

    @contextmanager
    def revived(self, *names: str) -> Iterator[None]:
        """Within the context, start these processes again whenever they die, as a supervisor does."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.1):
                for name in names:
                    if not self.runs(name):
                        self._children[name].start()

        keeper = threading.Thread(target=watch, daemon=True)
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()

    def end(self) -> None:
        """Kill whatever runs."""
        for child in self._children.values():
            child.end()
        self.end_agent()

    def end_agent(self) -> None:
        """Kill the agent; the next deed has a new one."""
        if self._agent is None:
            return
        self._agent.kill()
        self._agent.wait()
        for stream in (self._agent.stdin, self._agent.stdout):
            if stream:
                stream.close()
        self._agent = None

    def logs(self) -> str:
        """Return the ends of all logs, for whom a test fails; without the sweepers' coming and going."""
        shown = []
        for name in [*self._children, "agent"]:
            lines = self.place.folder.log_tail(name, lines=2000).splitlines()
            told = [
                line for line in lines if ("sweep" not in line and "/health" not in line) or "rror" in line
            ]
            shown += [f"--- {name}", *told[-40:]]
        return "\n".join(shown)

    def _child(self, name: str) -> Child:
        if name not in self._children:
            self._children[name] = Child(self._command(name), self.place.folder)
        return self._children[name]

    def _command(self, name: str) -> Command:
        """Return the command of quickstart for that kind of process, with settings and a port of our own."""
        kind = name.rstrip("0123456789")
        self.ports.setdefault(name, free_port())
        servers = Servers(self.place.database_url, self.place.redis_url, self.place.broker_url)
        platform = Installation(self.place.folder, self.ports[name], servers).platform()
        command = next(command for command in platform if command.name == kind)
        # One process of granian is enough where there may be two granians, and those have somebody in front of them.
        ours = {"--workers=2": "--workers=1", "--drain=0": f"--drain={DRAIN_SECONDS}"}
        words = tuple(ours.get(word, word) for word in command.arguments)
        environment = (
            {**self._environment, **clock_off_by(self.clocks[name])} if name in self.clocks else None
        )
        return replace(command, name=name, arguments=words, environment=environment or self._environment)

    @property
    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        return {
            **inherited,
            **self._patience,
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "DATABASE_URL": self.place.database_url,
            "REDIS_URL": self.place.redis_url,
            "CELERY_BROKER_URL": self.place.broker_url,
            "EMAIL_URL": self.place.email_url,
            "PUBLIC_URL": "http://127.0.0.1",
            DATA_VARIABLE: str(self.place.folder.path),
        }

    def _is_ready(self, name: str) -> bool:
        assert self.runs(name), f"{name} died:\n{self.place.folder.log_tail(name, lines=40)}"
        if name.startswith("web"):
            return self._answers(name)
        said = self.place.folder.log(name).read_text(errors="replace")
        words = {"worker": " ready.", "relay": "Relaying facts", "beat": "beat: Starting"}
        return words[name.rstrip("0123456789")] in said

    def _answers(self, name: str) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[name]}/api/v1/health", timeout=2).is_success
        except httpx.TransportError:
            return False

    # What is done in it, and what it has written

    def manage(self, *words: str) -> str:
        """Run a manage.py command, and return what it says."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT_ROOT, env=self._environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def do(self, deed: str, **arguments: Any) -> Any:
        """Have the agent do a deed (see app/deeds.py) in a process of the installation, and return its answer."""
        with self._asking:
            agent = self._agent = self._agent or self._start_agent()
            assert agent.stdin
            assert agent.stdout
            agent.stdin.write(json.dumps({"deed": deed, "arguments": arguments}) + "\n")
            agent.stdin.flush()
            line = agent.stdout.readline()
        assert line, f"the agent died:\n{self.place.folder.log_tail('agent', lines=40)}"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["answer"]

    def _start_agent(self) -> subprocess.Popen[str]:
        with self.place.folder.log("agent").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", "agent"],
                cwd=PROJECT_ROOT, env=self._environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
            )  # fmt: skip

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """Give a connection of the test's own."""
        with psycopg.connect(
            self.place.database_url, autocommit=True, row_factory=dict_row, application_name="faults"
        ) as connection:
            yield connection

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        with self.database() as connection:
            return connection.execute(query, parameters).fetchall()

    def one(self, query: str, *parameters: Any) -> Any:
        """Return the only column of the only row."""
        [row] = self.rows(query, *parameters)
        [value] = row.values()
        return value

    def execute(self, statement: str, *parameters: Any) -> None:
        with self.database() as connection:
            connection.execute(statement, parameters)

    def break_at(self, place: str, mode: str, *, subject: str | None = None, times: int = 1) -> None:
        """Have whoever reaches that place die, fail or stop there, so many times."""
        self.execute(
            "INSERT INTO faults_breakpoint (place, subject_id, mode, remaining) VALUES (%s, %s, %s, %s)",
            place, subject, mode, times,
        )  # fmt: skip

    def mend(self) -> None:
        """Take every breakpoint away, have everybody go on who stands still, and bring the broker back."""
        self.execute("UPDATE faults_breakpoint SET remaining = 0")
        for row in self.rows("SELECT DISTINCT pid FROM faults_trace WHERE mode = 'stop'"):
            if is_stopped(row["pid"]):
                send(row["pid"], signal.SIGCONT)
        for name in self._children:
            if self.runs(name) and is_stopped(self.pid(name)):
                self.thaw(name)
        self.broker.forward()
        if self.place.redis:
            self.place.redis.forward()


def clock_off_by(offset: str) -> dict[str, str]:
    """Return the environment of a process whose clock is wrong; what it measures durations by stays right."""
    assert FAKE_TIME is not None
    return {"LD_PRELOAD": str(FAKE_TIME), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def is_stopped(process_id: int) -> bool:
    """Tell whether a process stands still by SIGSTOP."""
    return started_at(process_id) is not None and psutil.Process(process_id).status() == psutil.STATUS_STOPPED


def every(count: int, kinds: Sequence[str]) -> list[str]:
    """Return the names of so many processes of each kind: `every(2, ["relay"])` is relay1, relay2."""
    return [f"{kind}{number}" for kind in kinds for number in range(1, count + 1)]
