"""Processes that outlive the memory of who started them: known again by id and moment of start, ended with
their whole group.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

POLL_SECONDS = 0.02
# Below the ports that systems hand to outgoing connections (32768 on Linux, 49152 on macOS): nothing takes a
# server's port while it restarts.
FIRST_PORT, LAST_PORT = 20_000, 32_000


@dataclass(frozen=True)
class ProcessRecord:
    """A process by its id and the moment it started; ids alone are used again."""

    pid: int
    started: str

    @classmethod
    def of(cls, process_id: int) -> ProcessRecord | None:
        """Return the record of a process that runs now, else None."""
        started = started_at(process_id)
        return cls(pid=process_id, started=started) if started else None

    def is_alive(self) -> bool:
        """Tell whether this very process still runs (a zombie does not)."""
        return started_at(self.pid) == self.started


def started_at(process_id: int) -> str | None:
    """Return what tells this process from every other that had or will have its id; None when it does not
    run.

    On Linux that is the boot's id and the clock ticks since boot (proc(5), /proc/pid/stat, field 22): the
    wall-clock moment
    that psutil derives from them moves when the clock is set.
    """
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{process_id}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The name, in parentheses, may hold spaces and parentheses itself.
        state, *fields = stat.rpartition(")")[2].split()
        return (
            None
            if state in "ZX"
            else f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {fields[18]}"
        )
    try:
        process = psutil.Process(process_id)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.NoSuchProcess:
        return None


def group_members(group: int) -> list[int]:
    """Return the ids of the running processes of a group; zombies are left out, nobody may ever reap them in
    a container.
    """
    return [pid for pid in psutil.pids() if _group_of(pid) == group and started_at(pid)]


def _group_of(process_id: int) -> int | None:
    try:
        return os.getpgid(process_id)
    except (ProcessLookupError, PermissionError):
        return None


def send(process_id: int, number: signal.Signals, *, to_group: bool = False) -> None:
    """Signal a process or its group; one that is gone already is no error."""
    # macOS answers EPERM for a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        (os.killpg if to_group else os.kill)(process_id, number)


def end_groups(leaders: Iterable[int], *, grace: float, hurried: Callable[[], bool] = lambda: False) -> None:
    """Ask the leaders to stop, all at once, and after `grace` seconds (or when hurried) kill what is left of
    their groups.

    Only leaders are asked: a Celery or granian leader finishes the work in hand with its children, who would
    drop it if
    they were asked themselves.
    """
    leaders = list(leaders)
    for leader in leaders:
        send(leader, signal.SIGTERM)
    wait_until(lambda: hurried() or not any(started_at(leader) for leader in leaders), timeout=grace)
    for leader in leaders:
        send(leader, signal.SIGKILL, to_group=True)
    wait_until(lambda: not any(group_members(leader) for leader in leaders), timeout=5)


def orphans_of(leader: ProcessRecord, *, environment: tuple[str, str]) -> list[int]:
    """Return what is left of a group whose leader died: its members, where their environment says that they
    are ours.

    A leader's id is not used again while its group lives, but once the group is gone anyone may get it: hence
    the second look.
    """
    name, value = environment
    found = []
    for member in group_members(leader.pid):
        try:
            if psutil.Process(member).environ().get(name) == value:
                found.append(member)
        except psutil.Error:
            # Gone meanwhile, or not ours to read: then not ours to end.
            continue
    return found


def wait_until(condition: Callable[[], bool], *, timeout: float) -> bool:
    """Wait for a condition that no system call can wait for; False when `timeout` seconds pass without it."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def is_free(port: int) -> bool:
    """Tell whether a server may listen on that port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier server that linger in TIME_WAIT are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """Return a port of 127.0.0.1 that nobody listens on, the preferred one where possible."""
    if preferred and is_free(preferred):
        return preferred
    while True:
        port = random.randint(FIRST_PORT, LAST_PORT)  # noqa: S311 - a port is no secret
        if is_free(port):
            return port
