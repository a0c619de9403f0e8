"""Beat that may run twice: a job is sent by whoever claims (job, moment due) first, by the clock of the database."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from celery import schedules
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from django_celery_beat.clockedschedule import clocked
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from smartcourse.queues.dispatch import publisher
from smartcourse.queues.schedule import seed_schedule

# A job due more often than this is not sent late: its next moment comes sooner than it would be missed.
NOT_SENT_LATE = timedelta(minutes=1)
AFTER_AN_OUTAGE_SECONDS = 1.0

log = structlog.get_logger(__name__)


class ClaimingScheduler(DatabaseScheduler):  # type: ignore[misc]  # it carries no types
    """Reads the schedule from rows, as its parent; sends what no other beat has claimed; outlives both servers."""

    # The parent would connect before its first tick and wait there for the broker. We send by our own connection.
    producer = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._unsent: dict[str, tuple[ModelEntry, datetime]] = {}
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Write what is new in the settings into rows, and what staff changed not at all (the parent would)."""
        try:
            seed_schedule()
        except (DatabaseError, InterfaceError) as error:
            log.warning("the schedule could not be seeded", error=repr(error))

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, and return in how many seconds to look again; wait where the database does not answer."""
        try:
            for name, (entry, due_at) in list(self._unsent.items()):
                del self._unsent[name]
                self._send(entry, due_at)
            return float(super().tick(*args, **kwargs))
        except (DatabaseError, InterfaceError) as error:
            log.warning("beat cannot read its schedule and tries again", error=repr(error))
            connection.close()
            # Read anew: half of it may have been read.
            self._initial_read, self._heap = True, None
            return AFTER_AN_OUTAGE_SECONDS

    def apply_entry(self, entry: ModelEntry, producer: Any = None) -> None:
        """Send the job, unless another beat has."""
        try:
            close_old_connections()
            due_at = moment_due(entry)
        except (DatabaseError, InterfaceError) as error:
            log.warning("beat cannot ask the time", job=entry.name, error=repr(error))
            connection.close()
            # Without a moment to claim; rather late and perhaps once more than never, for jobs that are rare.
            self._keep(entry, datetime.fromtimestamp(time.time() // 60 * 60, UTC))
            return
        self._send(entry, due_at)

    def _send(self, entry: ModelEntry, due_at: datetime) -> None:
        try:
            # One transaction: a job that could not be sent is not claimed, and another beat that asks meanwhile waits.
            with transaction.atomic():
                _let_the_database_end_us()
                if not claim(job=entry.name, due_at=due_at):
                    return
                options = {name: value for name, value in entry.options.items() if name != "queue"}
                publisher().send(
                    entry.task, queue=entry.options.get("queue") or self.app.conf.task_default_queue,
                    arguments=entry.kwargs, args=entry.args, **options,
                )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - drivers raise what they like, and beat goes on
            log.warning("beat could not send a job", job=entry.name, error=repr(error))
            if isinstance(error, DatabaseError | InterfaceError):
                connection.close()
            self._keep(entry, due_at)
        else:
            log.info("beat has sent a job", job=entry.name, task=entry.task)

    def _keep(self, entry: ModelEntry, due_at: datetime) -> None:
        if not (
            isinstance(entry.schedule, schedules.schedule) and interval_of(entry.schedule) < NOT_SENT_LATE
        ):
            self._unsent[entry.name] = (entry, due_at)


def claim(*, job: str, due_at: datetime) -> bool:
    """Claim the job for the moment it is due, and return whether nobody had."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO queues_scheduledrun (job, due_at) VALUES (%s, %s) ON CONFLICT (job, due_at) DO NOTHING",
            [job, due_at],
        )
        return bool(cursor.rowcount == 1)


def moment_due(entry: ModelEntry) -> datetime:
    """Return the moment that the entry is due for, the same at every beat.

    Of an interval: the begin of the interval that the database's clock is in, counted from the epoch; so a job is sent
    at most once in each, and a beat that was stopped for a minute sends one and not sixty. Of the others: the moment
    that comes next after the last run, wherever the beat's own clock stands.
    """
    schedule = entry.schedule
    if isinstance(schedule, clocked):
        moment: datetime = schedule.clocked_time
        return moment
    if isinstance(schedule, schedules.crontab):
        last_run_at, remaining, _ = schedule.remaining_delta(entry.last_run_at)
        due: datetime = (last_run_at + remaining).astimezone(UTC)
        return due.replace(second=0, microsecond=0)
    now = database_time()
    if isinstance(schedule, schedules.schedule) and (seconds := interval_of(schedule).total_seconds()):
        return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
    return now.replace(second=0, microsecond=0)


def interval_of(schedule: schedules.schedule) -> timedelta:
    """Return how long after a run the next one is due; nothing where the schedule goes by the calendar."""
    every = getattr(schedule, "run_every", None)
    return every if isinstance(every, timedelta) else timedelta.max


def database_time() -> datetime:
    """Return the time of the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [[now]] = cursor.fetchall()
    return now if isinstance(now, datetime) else datetime.fromisoformat(now)


def _let_the_database_end_us() -> None:
    """Bound how long a claim may be open in silence: a beat that was stopped in it must not keep the others waiting.

    What it had claimed is free again then. It may have been sent, and is sent once more: better than not at all.
    """
    milliseconds = int(settings.RELAY_TAKEOVER_SECONDS * 1000)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}")
