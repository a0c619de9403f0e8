"""The ways to reach a person: small ports, one module each.

A channel has `send(message, words)`: `message` is the row, `words` its title and body with the secrets filled in. It
returns when the message has left, and raises whatever kept it from leaving.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from notifications.models import Channel, Message


@dataclass(frozen=True)
class Words:
    """A message as its recipient reads it."""

    title: str
    body: str


class Port(Protocol):
    """What every channel can do."""

    def send(self, message: Message, words: Words) -> None: ...


def channel_called(name: str) -> Port:
    """Return the channel of that name."""
    from notifications.channels.in_app import InAppChannel
    from notifications.channels.mail import MailChannel

    ports: dict[str, Port] = {Channel.MAIL: MailChannel(), Channel.IN_APP: InAppChannel()}
    return ports[name]
