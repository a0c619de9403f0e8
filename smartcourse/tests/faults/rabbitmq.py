"""A RabbitMQ of the tests' own, from the machine's program."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from smartcourse.embedded.datafolder import DataFolder
from smartcourse.embedded.processes import free_port
from smartcourse.embedded.supervisor import Child, Command
from smartcourse.tests.faults.waiting import eventually

# Debian's `rabbitmq-server` on the PATH changes to the user rabbitmq first; what it calls then does not.
PLACES = ("/usr/lib/rabbitmq/bin", "/usr/lib/rabbitmq/lib/*/sbin", "/opt/homebrew/sbin", "/usr/local/sbin")
READY_SECONDS = 60


def rabbitmq_program() -> Path | None:
    """Return the server's program, or None where the machine has none."""
    for place in PLACES:
        for found in sorted(Path("/").glob(f"{place.removeprefix('/')}/rabbitmq-server")):
            return found
    on_path = shutil.which("rabbitmq-server")
    return Path(on_path) if on_path else None


def require_rabbitmq() -> Path:
    """Return the server's program; where there is none the test is skipped, and in CI it fails."""
    program = rabbitmq_program()
    if program is None or shutil.which("epmd") is None:
        told = "This fault needs RabbitMQ, and there is no rabbitmq-server (Debian, Ubuntu: apt install it)."
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    return program


class RabbitMQ:
    """One node, with Erlang's name server for it alone, in a data folder; `address` is where it listens."""

    def __init__(self, folder: DataFolder) -> None:
        program = require_rabbitmq()
        self.address = ("127.0.0.1", free_port())
        home = folder.path / "rabbitmq"
        home.mkdir(exist_ok=True)
        names = {"PATH": os.environ["PATH"], "HOME": str(home), "ERL_EPMD_PORT": str(free_port())}
        own = {
            "RABBITMQ_NODENAME": f"faults{self.address[1]}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": self.address[0],
            "RABBITMQ_NODE_PORT": str(self.address[1]),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(home / "none"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        }
        epmd = (str(shutil.which("epmd")), "-address", "127.0.0.1", "-port", names["ERL_EPMD_PORT"])
        self._children = [
            Child(Command(name="epmd", arguments=epmd, environment=names), folder),
            Child(Command(name="rabbitmq", arguments=(str(program),), environment=names | own), folder),
        ]

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        for child in self._children:
            child.start()
        eventually(self._answers, READY_SECONDS, "RabbitMQ did not start")

    def end(self) -> None:
        """Kill it."""
        for child in reversed(self._children):
            child.end()

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(self.address, timeout=1):
            return True
        return False
