"""Celery tasks of the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from celery import shared_task

from smartcourse.events import retention
from smartcourse.events.deliveries import handle_deliveries
from smartcourse.events.redelivery import sweep_deliveries
from smartcourse.events.relay import relay_batch


@shared_task(name="events.deliver", time_limit=120, soft_time_limit=100)
def deliver(*, delivery_ids: Sequence[str] = (), **_newer: Any) -> None:
    handle_deliveries([UUID(delivery_id) for delivery_id in delivery_ids])


@shared_task(name="events.relay", time_limit=120, soft_time_limit=100)
def relay(**_newer: Any) -> None:
    """Be the relay for a moment, where tasks are done in the process that sends them (TASKS_INLINE)."""
    while relay_batch():
        pass


@shared_task(name="events.sweep_deliveries", time_limit=60, soft_time_limit=50)
def sweep(**_newer: Any) -> None:
    sweep_deliveries()


@shared_task(name="events.archive_facts", time_limit=300, soft_time_limit=280)
def archive(**_newer: Any) -> None:
    retention.archive_facts()
    retention.prune_archive()
