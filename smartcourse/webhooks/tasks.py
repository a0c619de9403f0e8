"""Celery tasks of webhooks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from smartcourse.webhooks import services


@shared_task(name="webhooks.send", time_limit=60, soft_time_limit=50)
def send(*, endpoint_id: str, **_newer: Any) -> None:
    services.send_due(endpoint_id=UUID(endpoint_id))


@shared_task(name="webhooks.sweep", time_limit=60, soft_time_limit=50)
def sweep(**_newer: Any) -> None:
    services.sweep()


@shared_task(name="webhooks.prune", time_limit=300, soft_time_limit=270)
def prune(**_newer: Any) -> None:
    services.prune(at=timezone.now())
