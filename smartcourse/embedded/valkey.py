"""Valkey in the data folder: cache, limits and Celery's messages, all of which may be lost and made again."""

from __future__ import annotations

import socket

from smartcourse.embedded.binaries import valkey_program
from smartcourse.embedded.datafolder import DataFolder, EmbeddedError, local_secret
from smartcourse.embedded.processes import free_port, wait_until
from smartcourse.embedded.supervisor import Child, Command

NAME = "valkey"
DATABASES = 64
"""One for the platform; in tests, one for each of pytest's processes."""
READY_SECONDS = 10


class ValkeyError(EmbeddedError):
    """Valkey could not be started."""


def valkey_child(folder: DataFolder) -> Child:
    """Return Valkey as a child that listens on a free port of 127.0.0.1, not started yet."""
    port = free_port()
    configuration = {
        "bind": "127.0.0.1",
        "port": port,
        "dir": f'"{folder.path / NAME}"',
        "databases": DATABASES,
        "requirepass": _password(folder),
        # Nothing here cannot be rebuilt, so nothing is written down.
        "save": '""',
        "appendonly": "no",
    }
    # On standard input, since every user of the machine can read the words of a command.
    given = "".join(f"{name} {value}\n" for name, value in configuration.items())
    return Child(
        Command(
            name=NAME,
            arguments=(str(valkey_program()), "-"),
            environment={},
            given=given,
            record={"port": port},
        ),
        folder,
    )


def start_valkey(folder: DataFolder) -> Child:
    """Start Valkey and wait until it answers.

    Raises:
        ValkeyError: it died, or did not answer within 10 seconds.
    """
    child = valkey_child(folder)
    child.start()
    wait_until(lambda: valkey_url(folder) is not None or not child.is_alive(), timeout=READY_SECONDS)
    if valkey_url(folder) is None:
        child.end()
        raise ValkeyError(f"Valkey did not start. The end of its log:\n{folder.log_tail(NAME)}")
    return child


def valkey_url(folder: DataFolder) -> str | None:
    """Return the address, with its password, of the folder's Valkey if it runs and answers, else None."""
    found = folder.recall(NAME)
    if found is None or not found[0].is_alive():
        return None
    port = int(found[1]["port"])
    return f"redis://:{_password(folder)}@127.0.0.1:{port}/0" if _answers(port, _password(folder)) else None


def _answers(port: int, password: str) -> bool:
    """Tell whether our Valkey listens there: another's does not know the password."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            with connection.makefile("rb") as answers:
                return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:
        return False


def _password(folder: DataFolder) -> str:
    return local_secret(folder.path, "valkey_password")
