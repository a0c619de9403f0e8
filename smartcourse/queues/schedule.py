"""The schedule of beat: written into rows once, and from then on the staff's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import schedules
from django.conf import settings
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask


def seed_schedule() -> list[str]:
    """Create the jobs of `CELERY_BEAT_SCHEDULE` that are missing, and return the names of those created or renewed.

    A job that nobody has touched since follows the settings. One that was changed in the back office stays as it is;
    what it was seeded with is told in its description, which is how the two are told apart.
    """
    written = []
    with transaction.atomic():
        known = {job.name: job for job in PeriodicTask.objects.filter(name__in=settings.CELERY_BEAT_SCHEDULE)}
        for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
            fields = _fields_of(entry)
            job = known.get(name, PeriodicTask(name=name))
            if job.pk and (job.description == fields["description"] or _is_changed(job)):
                continue
            for field, value in fields.items():
                setattr(job, field, value)
            job.save()
            written.append(name)
    return written


def _fields_of(entry: dict[str, Any]) -> dict[str, Any]:
    options = entry.get("options", {})
    fields = {
        "task": entry["task"],
        **_schedule_of(entry["schedule"]),
        "queue": options.get("queue"),
        "expire_seconds": options.get("expires"),
        "enabled": True,
    }
    return {**fields, "description": _told(fields)}


def _schedule_of(schedule: Any) -> dict[str, Any]:
    if isinstance(schedule, schedules.crontab):
        row = CrontabSchedule.from_schedule(schedule)
        row.save()
        return {"crontab": row, "interval": None}
    every = schedule if isinstance(schedule, timedelta) else timedelta(seconds=float(schedule))
    seconds = every.total_seconds()
    # Rows count whole units.
    whole = seconds.is_integer()
    interval, _ = IntervalSchedule.objects.get_or_create(
        every=int(seconds if whole else every / timedelta(microseconds=1)),
        period=IntervalSchedule.SECONDS if whole else IntervalSchedule.MICROSECONDS,
    )
    return {"interval": interval, "crontab": None}


def _is_changed(job: PeriodicTask) -> bool:
    names = ("task", "crontab", "interval", "queue", "expire_seconds", "enabled")
    return bool(job.description != _told({name: getattr(job, name) for name in names}))


def _told(fields: dict[str, Any]) -> str:
    when = fields["interval"] or fields["crontab"]
    state = "" if fields["enabled"] else ", disabled"
    return f"As released: {fields['task']}, {when}, queue {fields['queue']}, expires {fields['expire_seconds']}{state}"
