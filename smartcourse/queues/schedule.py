"""The schedule of beat: written into rows once, and from then on the staff's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import schedules
from django.conf import settings
from django.db import connection, transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

# The advisory lock of whoever is seeding.
SEEDING = 0x5C_0003


def seed_schedule() -> list[str]:
    """Create the jobs of `CELERY_BEAT_SCHEDULE` that are missing, and return the names of those created or renewed.

    A job that nobody has touched since follows the settings. One that was changed in the back office stays as it is;
    what it was seeded with is told in its description, which is how the two are told apart.
    """
    written = []
    with transaction.atomic():
        _wait_for_others()
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


def _wait_for_others() -> None:
    """Let one beat at a time seed: nothing in the tables of intervals and crontabs keeps two equal rows apart."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEEDING])


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
    length: dict[str, Any] = {
        "every": int(seconds if whole else every / timedelta(microseconds=1)),
        "period": IntervalSchedule.SECONDS if whole else IntervalSchedule.MICROSECONDS,
    }
    # Staff may have made the same one twice.
    interval = IntervalSchedule.objects.filter(**length).order_by("pk").first()
    return {"interval": interval or IntervalSchedule.objects.create(**length), "crontab": None}


def _is_changed(job: PeriodicTask) -> bool:
    names = ("task", "crontab", "interval", "queue", "expire_seconds", "enabled")
    return bool(job.description != _told({name: getattr(job, name) for name in names}))


def _told(fields: dict[str, Any]) -> str:
    when = fields["interval"] or fields["crontab"]
    state = "" if fields["enabled"] else ", disabled"
    return f"As released: {fields['task']}, {when}, queue {fields['queue']}, expires {fields['expire_seconds']}{state}"
