"""RabbitMQ for a test: a virtual host of its own on the server that runs here, and its address."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

RABBITMQ_URL = os.environ.get("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")


def why_there_is_no_rabbitmq() -> str:
    """Return why tests cannot use RabbitMQ; empty where they can."""
    parts = urlsplit(RABBITMQ_URL)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5672), timeout=1).close()
    except OSError:
        return f"no RabbitMQ answers at {parts.hostname}:{parts.port} (RABBITMQ_URL)"
    return "" if shutil.which("rabbitmqctl") else "rabbitmqctl is not here, which makes virtual hosts"


def virtual_host() -> Iterator[str]:
    """Yield the address of an empty virtual host, and delete it afterwards with all that is in it."""
    if reason := why_there_is_no_rabbitmq():
        pytest.skip(reason)
    name = f"smartcourse_test_{secrets.token_hex(4)}"
    parts = urlsplit(RABBITMQ_URL)
    made = subprocess.run(
        ["rabbitmqctl", "-q", "add_vhost", name], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"rabbitmqctl may not make a virtual host here: {made.stderr.strip()[:200]}")
    rights = ["rabbitmqctl", "-q", "set_permissions", "-p", name, parts.username or "guest", ".*", ".*", ".*"]
    subprocess.run(rights, capture_output=True, check=True)
    yield f"amqp://{parts.username}:{parts.password}@{parts.hostname}:{parts.port}/{name}"
    subprocess.run(["rabbitmqctl", "-q", "delete_vhost", name], capture_output=True, check=False)
