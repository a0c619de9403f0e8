"""Celery tasks of the edge."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from smartcourse.api.idempotency import prune_answers


@shared_task(name="api.prune_answers", time_limit=120, soft_time_limit=100)
def prune(**_newer: Any) -> None:
    prune_answers()
