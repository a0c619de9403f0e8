"""Celery tasks of the engine."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task

from smartcourse.workflows import services


@shared_task(name="workflows.advance", time_limit=300, soft_time_limit=280)
def advance(*, run_id: str, **_newer: Any) -> None:
    services.advance(UUID(run_id))


@shared_task(name="workflows.sweep_runs", time_limit=60, soft_time_limit=50)
def sweep(**_newer: Any) -> None:
    services.sweep_runs()
