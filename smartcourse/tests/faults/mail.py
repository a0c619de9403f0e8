"""A real SMTP server that counts."""

from __future__ import annotations

import email
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.policy import default as modern
from typing import Any

from aiosmtpd.controller import Controller

from smartcourse.embedded.processes import free_port

# It tells every word of every session otherwise, which costs more than the mails.
logging.getLogger("mail.log").setLevel(logging.WARNING)


class Mailbox:
    """What the server was handed: mails by recipient and Message-ID, each with how often it came."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.subjects: dict[tuple[str, str], str] = {}

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        mail = email.message_from_bytes(envelope.content, policy=modern)
        for recipient in envelope.rcpt_tos:
            key = (recipient, str(mail["Message-ID"]))
            self.counts[key] += 1
            self.subjects[key] = str(mail["Subject"])
        return "250 OK"

    def to(self, recipient: str) -> list[str]:
        """Return the subjects of the mails to that address, each as often as it came."""
        return sorted(self.subjects[key] for key in self.counts.elements() if key[0] == recipient)

    def twice(self) -> list[tuple[str, str]]:
        """Return whom which mail reached more than once."""
        return [key for key, count in self.counts.items() if count > 1]


@contextmanager
def mail_server() -> Iterator[tuple[Mailbox, str]]:
    """Give a mailbox, and the EMAIL_URL that leads there."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield mailbox, f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()
