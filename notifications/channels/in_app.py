"""Notices in the application itself: the row is the message, so there is nothing left to send."""

from __future__ import annotations

from notifications.channels import Words
from notifications.models import Message


class InAppChannel:
    """The list at `GET /notifications`."""

    def send(self, message: Message, words: Words) -> None:
        return None
