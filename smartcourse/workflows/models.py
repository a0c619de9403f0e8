"""A process that was started, and what happened at each of its steps."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from smartcourse.db.models import Entity
from smartcourse.workflows.definitions import process_called


class RunStatus(models.TextChoices):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    COMPLETED = "COMPLETED"
    COMPENSATING = "COMPENSATING"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


LIVE = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING, RunStatus.COMPENSATING)


class RunQuerySet(models.QuerySet["Run"]):
    def live(self) -> Self:
        """Runs that have not ended."""
        return self.filter(status__in=LIVE)

    def free(self) -> Self:
        """Runs that no worker holds; by the database's clock, so that a wrong one cannot take what is held."""
        return self.filter(models.Q(lease_expires_at=None) | models.Q(lease_expires_at__lt=Now()))

    def visible_to(self, user: Any) -> Self:
        """All runs for staff, else those that the person started."""
        return self if user.is_staff else self.filter(requested_by=user.pk)


class StepStatus(models.TextChoices):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    COMPENSATED = "COMPENSATED"


@dataclass(frozen=True)
class StepState:
    """One step of a run as people see it, those that are still to come too."""

    name: str
    status: StepStatus
    attempts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str = ""
    trace: str = ""

    @property
    def seconds(self) -> float | None:
        """Return how long it took, tries and waiting included; None for what has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        # The database's clock may be put back between the two.
        return max(0.0, (self.finished_at - self.started_at).total_seconds())


class Run(Entity):
    """One run of a process over one subject (a course, an enrollment); the row is the truth, Celery only wakes it."""

    process = models.CharField(max_length=50)
    subject_id = models.UUIDField()
    key = models.CharField(max_length=150)
    status = models.CharField(max_length=15, choices=RunStatus.choices, default=RunStatus.QUEUED)
    data = models.JSONField(default=dict, blank=True)
    position = models.PositiveSmallIntegerField(default=0, help_text="The step that comes next.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failed attempts at that step.")
    deaths = models.PositiveSmallIntegerField(
        default=0, help_text="Workers that never came back from that step."
    )
    dispatches = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Messages that the sweeper sent since a worker last took it up."
    )
    error_code = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    request_id = models.CharField(max_length=128, blank=True)
    next_attempt_at = models.DateTimeField(db_default=Now())
    step_started_at = models.DateTimeField(null=True)
    lease_token = models.PositiveIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            # Starting a process that is under way gives the run that is under way.
            models.UniqueConstraint(
                fields=["process", "key"], condition=models.Q(status__in=LIVE), name="one_live_run_per_key"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=models.Q(status__in=LIVE), name="runs_not_ended"
            ),
            models.Index(fields=["subject_id"], name="runs_by_subject"),
            # Failures are few; they are counted at every scrape of the metrics.
            models.Index(
                fields=["process"], condition=models.Q(status=RunStatus.FAILED), name="runs_that_failed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.process} ({self.status.lower()})"

    @property
    def is_live(self) -> bool:
        """Tell whether the run has not ended."""
        return self.status in LIVE

    def undo_from(self, position: int) -> None:
        """Turn back at that step, which may have left something too, begun or not."""
        self.status = RunStatus.COMPENSATING
        self.position = position + 1
        self.attempts = self.deaths = 0

    @property
    def timeline(self) -> list[StepState]:
        """Return all steps in their order, with what is known of each."""
        records = {record.position: record for record in self.steps.all()}
        names = {position: record.name for position, record in records.items()}
        # One of an earlier release may be of a process that is gone; what was recorded is still told.
        with contextlib.suppress(LookupError):
            names = {**dict(enumerate(step.name for step in process_called(self.process).steps)), **names}
        return [
            self._told(records[position]) if position in records else self._foreseen(position, name)
            for position, name in sorted(names.items())
        ]

    def _told(self, record: StepRecord) -> StepState:
        return StepState(
            record.name, StepStatus(record.status), record.attempts, record.started_at, record.finished_at,
            record.error, record.trace,
        )  # fmt: skip

    def _foreseen(self, position: int, name: str) -> StepState:
        if self.status == RunStatus.RUNNING and self.position == position and self.lease_expires_at:
            # A step is recorded when it ends.
            return StepState(name, StepStatus.RUNNING, started_at=self.step_started_at)
        return StepState(name, StepStatus.PENDING)


class StepRecord(models.Model):
    """What happened at one step of a run. `error` is for who started it; the `trace`, with our insides, for staff."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    status = models.CharField(max_length=15, choices=StepStatus.choices)
    attempts = models.PositiveSmallIntegerField(default=1)
    error = models.TextField(blank=True)
    trace = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True, help_text="Until when a waiting step waits.")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="one_record_per_step"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.status.lower()})"


class Signal(models.Model):
    """Something from outside that a run waits for, or will; kept, because it may come before the run waits for it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="signals")
    name = models.CharField(max_length=100)
    data = models.JSONField(default=dict, blank=True)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="one_signal_of_a_name_per_run"),
        ]

    def __str__(self) -> str:
        return self.name
