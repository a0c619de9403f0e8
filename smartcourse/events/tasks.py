"""Celery tasks of the outbox."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task

from smartcourse.events.deliveries import handle_delivery, sweep_deliveries


@shared_task(name="events.deliver", time_limit=120, soft_time_limit=100)
def deliver(*, delivery_id: str, **_newer: Any) -> None:
    handle_delivery(UUID(delivery_id))


@shared_task(name="events.sweep_deliveries", time_limit=60, soft_time_limit=50)
def sweep(**_newer: Any) -> None:
    sweep_deliveries()
