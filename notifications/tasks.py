"""Celery tasks of notifications."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task

from notifications import services


@shared_task(name="notifications.send_message", time_limit=60, soft_time_limit=45)
def send_message(*, message_id: str, **_newer: Any) -> None:
    services.send_message(message_id=UUID(message_id))


@shared_task(name="notifications.sweep_messages", time_limit=60, soft_time_limit=50)
def sweep_messages(**_newer: Any) -> None:
    services.sweep_messages()
