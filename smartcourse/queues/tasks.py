"""Celery tasks of the Celery set-up itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db.models.functions import Now

from smartcourse.queues.dead_letters import collect_dead_letters
from smartcourse.queues.models import ScheduledRun


@shared_task(name="queues.sweep_dead_letters", time_limit=60, soft_time_limit=50)
def sweep_dead_letters(**_newer: Any) -> None:
    collect_dead_letters()


@shared_task(name="queues.sweep_scheduled_runs", time_limit=60, soft_time_limit=50)
def sweep_scheduled_runs(**_newer: Any) -> None:
    keep = timedelta(days=settings.SCHEDULED_RUN_KEEP_DAYS)
    ScheduledRun.objects.filter(claimed_at__lt=Now() - keep).delete()
