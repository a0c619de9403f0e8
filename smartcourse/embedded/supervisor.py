"""Children in process groups of their own: started, watched, restarted when they die, ended whole."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

from smartcourse.embedded.datafolder import PROJECT_ROOT, DataFolder, EmbeddedError
from smartcourse.embedded.processes import ProcessRecord, end_groups, orphans_of, send, started_at, wait_until

DATA_VARIABLE = "SMARTCOURSE_DATA"
"""Every child has it in its environment; by it the orphans of a killed run are told from other people's
processes."""
FIRST_DELAY, LONGEST_DELAY = 0.2, 10.0
STEADY_SECONDS = 20.0
"""Who lived this long died of something new: the delays begin again."""
GRACE_SECONDS = 15.0
LOOK_SECONDS = 0.5
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequested(BaseException):
    """Somebody asked for the end while something was being waited for."""


class ChildError(EmbeddedError):
    """A child died again and again, or a step ended with an error."""


class Supervised(Protocol):
    """What the supervisor watches: a child, or the shared PostgreSQL."""

    name: str

    @property
    def pid(self) -> int | None:
        """The process id of the leader, None before the first start."""

    def start(self) -> None:
        """Start it, or start it again after its death.

        Raises:
            EmbeddedError: it cannot be started now.
        """

    def is_alive(self) -> bool:
        """Tell whether it runs."""


@dataclass(frozen=True)
class Command:
    """What to run as a child: words, its environment, what it reads on standard input, and words for its
    record.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    given: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)


class Child:
    """A command that runs in a session of its own, recorded in the data folder, its output in a log there."""

    def __init__(self, command: Command, folder: DataFolder) -> None:
        self.command = command
        self.folder = folder
        self.name = command.name
        self._process: subprocess.Popen[str] | None = None
        self._record: ProcessRecord | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the leader, None before the first start."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it; what a dead predecessor left in its group is ended first (granian's workers keep the
        port).
        """
        self.end()
        with self.folder.log(self.name).open("ab") as log:
            self._process = subprocess.Popen(
                self.command.arguments,
                cwd=PROJECT_ROOT, env={**self.command.environment, DATA_VARIABLE: str(self.folder.path)},
                stdin=subprocess.PIPE if self.command.given else subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, text=True,
            )  # fmt: skip
        self._record = ProcessRecord.of(self._process.pid)
        self.folder.remember(self.name, self._process.pid, **self.command.record)
        self._give()

    def _give(self) -> None:
        if self._process and self._process.stdin:
            try:
                with self._process.stdin as stream:
                    stream.write(self.command.given)
            except BrokenPipeError:
                # It died before it read; that is noticed as every death is.
                pass

    def is_alive(self) -> bool:
        """Tell whether the leader runs."""
        # Not reaped here: as long as a dead leader is a zombie, nobody else can get the id of its group.
        return self._record is not None and self._record.is_alive()

    def end(self) -> int | None:
        """Kill what is left of the group, at once, and strike it off the record; return how it ended
        (negative: by that signal).
        """
        if self._process is None:
            return None
        end_groups([self._process.pid], grace=0)
        code = self._process.wait()
        self._process = self._record = None
        self.folder.forget(self.name)
        return code


class Signals:
    """Requests to stop, and the deaths of children, as something that one can wait for.

    Handlers only take notice: an exception out of a handler could lose a child between its start and its
    record.
    """

    def __init__(self) -> None:
        self.requests = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in STOPPING:
            # `nohup` means it; but shells ignore SIGINT for any background job, and who sends it nevertheless
            # means that.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._request)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._reader.close()
        self._writer.close()

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requests += 1

    def wait(self, seconds: float) -> None:
        """Wait until a signal arrives, at most so long."""
        if select.select([self._reader], [], [], seconds)[0]:
            self._reader.recv(4096)

    def hurry(self) -> bool:
        """Tell whether the end was asked for twice: then nobody wants to wait for grace."""
        return self.requests > 1


@dataclass
class _Watch:
    child: Supervised
    started_at: float
    deaths: int = 0
    restart_at: float | None = None


class Supervisor:
    """Watches over children until it is told to stop.

    `on_restart(name)` is called after each restart; `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        signals: Signals,
        *,
        on_restart: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.signals = signals
        self.on_restart = on_restart
        self.clock = clock
        self._watched: dict[str, _Watch] = {}

    def watch(self, child: Supervised) -> None:
        """Take charge of a child that has been started."""
        self._watched[child.name] = _Watch(child, started_at=self.clock())

    def process_ids(self) -> dict[str, int | None]:
        """Return the process ids of the children by their names."""
        return {name: watch.child.pid for name, watch in self._watched.items()}

    def deaths(self, name: str) -> int:
        """Return how often a child died since it last lived for a while."""
        return self._watched[name].deaths

    def has_settled(self, name: str, seconds: float) -> bool:
        """Tell whether a child runs, and has for so many seconds."""
        watch = self._watched[name]
        return (
            watch.restart_at is None and watch.child.is_alive() and self.clock() - watch.started_at >= seconds
        )

    def look(self) -> None:
        """Restart whoever died and has waited long enough."""
        for watch in self._watched.values():
            if watch.restart_at is not None:
                self._restart_when_due(watch)
            elif not watch.child.is_alive():
                steady = self.clock() - watch.started_at > STEADY_SECONDS
                watch.deaths = 1 if steady else watch.deaths + 1
                watch.restart_at = self.clock() + min(FIRST_DELAY * 2 ** (watch.deaths - 1), LONGEST_DELAY)

    def _restart_when_due(self, watch: _Watch) -> None:
        if watch.restart_at is None or self.clock() < watch.restart_at:
            return
        watch.restart_at, watch.started_at = None, self.clock()
        try:
            watch.child.start()
        except (EmbeddedError, OSError):
            # Its log has the reason, or the machine is out of something: as a death, and the next try waits longer.
            return
        self.on_restart(watch.child.name)

    def wait_for(self, condition: Callable[[], bool], *, timeout: float, every: float = 0.1) -> bool:
        """Watch until the condition holds; False when `timeout` seconds pass without it.

        Raises:
            StopRequested: the end was asked for meanwhile.
        """
        deadline = self.clock() + timeout
        while True:
            if self.signals.requests:
                raise StopRequested
            if condition():
                return True
            if self.clock() > deadline:
                return False
            self.look()
            self.signals.wait(every)

    def run(self) -> None:
        """Watch until the end is asked for."""
        while not self.signals.requests:
            self.look()
            self.signals.wait(LOOK_SECONDS)

    def stop(self, *names: str) -> None:
        """End the named children together: asked first, and killed with their groups after 15 seconds, or
        when hurried.
        """
        watches = [self._watched.pop(name) for name in names if name in self._watched]
        children = [watch.child for watch in watches if isinstance(watch.child, Child)]
        end_groups(
            [child.pid for child in children if child.pid], grace=GRACE_SECONDS, hurried=self.signals.hurry
        )
        for child in children:
            child.end()


def run_step(command: Command, folder: DataFolder, supervisor: Supervisor, *, timeout: float) -> None:
    """Run a command to its end while the children are watched; its output goes to its log.

    Raises:
        ChildError: it ended with an error, or not within `timeout` seconds.
        StopRequested: the end was asked for meanwhile.
    """
    step = Child(command, folder)
    step.start()
    try:
        supervisor.wait_for(lambda: not step.is_alive(), timeout=timeout)
    finally:
        code = step.end()
    if code != 0:
        raise ChildError(f"{command.name} failed. The end of its log:\n{folder.log_tail(command.name)}")


def end_leftovers(folder: DataFolder) -> list[str]:
    """End what a killed run left behind; return the names of those that were still there."""
    records = {name: found[0] for name in folder.remembered() if (found := folder.recall(name))}
    alive = {name: record for name, record in records.items() if record.is_alive()}
    orphaned = [
        orphan
        for name, record in records.items()
        if name not in alive
        for orphan in orphans_of(record, environment=(DATA_VARIABLE, str(folder.path)))
    ]
    end_groups([record.pid for record in alive.values()], grace=GRACE_SECONDS)
    for orphan in orphaned:
        send(orphan, signal.SIGKILL)
    # Until they are gone they keep the web server's port.
    wait_until(lambda: not any(started_at(orphan) for orphan in orphaned), timeout=5)
    for name in folder.remembered():
        folder.forget(name)
    return sorted(alive) + [f"process {orphan}" for orphan in orphaned]


def inherited_environment() -> dict[str, str]:
    """Return the environment that children start from: ours, with output that is written line by line."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}
