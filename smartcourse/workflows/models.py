"""A process that was started, and what happened at each of its steps."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models

from smartcourse.db.models import Entity


class RunStatus(models.TextChoices):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    COMPENSATING = "COMPENSATING"
    FAILED = "FAILED"


LIVE = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.COMPENSATING)


class RunQuerySet(models.QuerySet["Run"]):
    def live(self) -> Self:
        """Runs that have not ended."""
        return self.filter(status__in=LIVE)

    def visible_to(self, user: Any) -> Self:
        """All runs for staff, else those that the person started."""
        return self if user.is_staff else self.filter(requested_by=user.pk)


class Run(Entity):
    """One run of a process over one subject (a course, an enrollment); the row is the truth, Celery only wakes it."""

    process = models.CharField(max_length=50)
    subject_id = models.UUIDField()
    key = models.CharField(max_length=150)
    status = models.CharField(max_length=15, choices=RunStatus.choices, default=RunStatus.QUEUED)
    data = models.JSONField(default=dict, blank=True)
    position = models.PositiveSmallIntegerField(default=0, help_text="The step that comes next.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failed attempts at that step.")
    error_code = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    request_id = models.CharField(max_length=128, blank=True)
    next_attempt_at = models.DateTimeField()
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
        ]

    def __str__(self) -> str:
        return f"{self.process} ({self.status.lower()})"


class StepStatus(models.TextChoices):
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    COMPENSATED = "COMPENSATED"


class StepRecord(models.Model):
    """What happened at one step of a run."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    status = models.CharField(max_length=15, choices=StepStatus.choices)
    attempts = models.PositiveSmallIntegerField(default=1)
    error = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="one_record_per_step"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.status.lower()})"
