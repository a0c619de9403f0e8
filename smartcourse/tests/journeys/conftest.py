"""A whole installation for the journeys: the processes that `manage.py quickstart` starts, and a mail server."""

from __future__ import annotations

import email
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.policy import default as modern
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from aiosmtpd.controller import Controller
from django.conf import settings

from smartcourse.tests.quickstart import environment_of, free_port, quickstart

T = TypeVar("T")


@dataclass
class Mailbox:
    """Everything that the mail server was handed."""

    mails: list[Message] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(email.message_from_bytes(envelope.content, policy=modern))
        return "250 OK"

    def to(self, address: str) -> list[Message]:
        return [mail for mail in list(self.mails) if address in str(mail["To"])]


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    """A real SMTP server on a free port."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    mailbox.port = controller.port  # type: ignore[attr-defined]  # for the fixture below, not for tests
    yield mailbox
    controller.stop()


@dataclass(frozen=True)
class Installation:
    """A running quickstart: its quickstart.json, its data folder, and how to speak to it."""

    info: dict[str, Any]
    data: Path
    environment: dict[str, str]
    mailbox: Mailbox
    clients: list[httpx.Client] = field(default_factory=list)

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a manage.py command beside the running quickstart."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def account(self, role: str) -> dict[str, str]:
        return next(a for a in self.info["accounts"] if a["role"] == role)

    def visitor(self) -> httpx.Client:
        """A client without an account."""
        client = httpx.Client(base_url=self.info["api_url"] + "/", timeout=20)
        self.clients.append(client)
        return client

    def close(self) -> None:
        """Close every client that was made."""
        for client in self.clients:
            client.close()

    def signed_in(self, address: str, password: str) -> httpx.Client:
        client = self.visitor()
        answer = client.post("auth/login", json={"email": address, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return client

    def signed_in_as(self, role: str) -> httpx.Client:
        account = self.account(role)
        return self.signed_in(account["email"], account["password"])


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[Installation]:
    """Quickstart in an empty folder, as `make run` starts it, with limits off and mail going to the mailbox."""
    data = tmp_path_factory.mktemp("quickstart") / "data"
    port = mailbox.port  # type: ignore[attr-defined]  # set by the fixture above
    environment = environment_of(data, EMAIL_URL=f"smtp://127.0.0.1:{port}")
    with quickstart(data, environment) as info:
        installation = Installation(info, data, environment, mailbox)
        yield installation
        installation.close()


def eventually(look: Callable[[], T], seconds: float) -> T:
    """Look until there is something, at most for so many seconds, and return it; else fail."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"nothing after {seconds} seconds")
        time.sleep(0.05)
    return found
