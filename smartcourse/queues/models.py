"""What the broker and the workers gave up on, and what beat has claimed."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models

from smartcourse.db.identifiers import uuid7


class DeadLetterStatus(models.TextChoices):
    OPEN = "OPEN"
    REDRIVEN = "REDRIVEN"
    DISCARDED = "DISCARDED"


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    def open(self) -> Self:
        """Keep those that nobody has looked after yet."""
        return self.filter(status=DeadLetterStatus.OPEN)


class DeadLetter(models.Model):
    """A task that will not run again by itself: it raised beyond its retries, or killed its worker too often.

    Not a parked delivery: a subscriber's failure is kept with its delivery (`events`), a step's with its run
    (`workflows`). What is here was a message and nothing else.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task_id = models.CharField(max_length=64)
    task = models.CharField(max_length=200)
    queue = models.CharField(max_length=50)
    arguments = models.JSONField(default=dict)
    request_id = models.CharField(max_length=128, blank=True)
    cause = models.CharField(max_length=300)
    details = models.TextField(blank=True)
    died_at = models.DateTimeField()
    status = models.CharField(
        max_length=10, choices=DeadLetterStatus.choices, default=DeadLetterStatus.OPEN, editable=False
    )
    settled_at = models.DateTimeField(null=True, editable=False)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        ordering = ["-died_at"]
        constraints = [
            # The same death may be told twice: a worker killed between writing the row and acknowledging the message.
            models.UniqueConstraint(fields=["task_id"], name="one_dead_letter_per_task_sent"),
        ]
        indexes = [
            models.Index(
                fields=["died_at"],
                condition=models.Q(status=DeadLetterStatus.OPEN),
                name="dead_letters_to_look_after",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} ({self.status.lower()})"


class ScheduledRun(models.Model):
    """That one beat has sent one job for one moment it was due; the other beats leave it alone."""

    job = models.CharField(max_length=200)
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "due_at"], name="one_run_per_job_and_moment_due"),
        ]
        indexes = [models.Index(fields=["claimed_at"], name="scheduled_runs_by_age")]

    def __str__(self) -> str:
        return f"{self.job} at {self.due_at:%Y-%m-%d %H:%M:%S}"
