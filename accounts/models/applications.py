"""Who would like to teach."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from smartcourse.db.models import Entity


class ApplicationStatus(models.TextChoices):
    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class InstructorApplicationQuerySet(models.QuerySet["InstructorApplication"]):
    def open(self) -> Self:
        """Applications that nobody has decided yet."""
        return self.filter(status=ApplicationStatus.OPEN)

    def with_people(self) -> Self:
        """Who applied and who decided, fetched along."""
        return self.select_related("user", "decided_by")

    def visible_to(self, user: Any) -> Self:
        """One's own, all for staff."""
        return self if user.is_staff else self.filter(user=user.pk)


class InstructorApplication(Entity):
    """That a person asks to be let teach, and what staff said. A person's applications are the history of it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="instructor_applications"
    )
    statement = models.TextField(help_text="What the person would teach, and why they can.")
    status = models.CharField(
        max_length=10, choices=ApplicationStatus.choices, default=ApplicationStatus.OPEN
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Told to the person.")

    objects = InstructorApplicationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(status=ApplicationStatus.OPEN),
                name="one_open_application_per_person",
            ),
            models.CheckConstraint(
                condition=Q(status=ApplicationStatus.OPEN, decided_at=None)
                | (~Q(status=ApplicationStatus.OPEN) & Q(decided_at__isnull=False)),
                name="a_decided_application_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(status=ApplicationStatus.REJECTED) | ~Q(reason=""),
                name="a_rejection_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"application ({self.status.lower()})"

    @property
    def is_open(self) -> bool:
        return self.status == ApplicationStatus.OPEN

    def decide(self, status: ApplicationStatus, *, by: Any, reason: str, at: datetime) -> None:
        """Staff said yes, or no."""
        self.status, self.decided_by, self.decided_at, self.reason = status, by, at, reason
        self.save(update_fields=["status", "decided_by", "decided_at", "reason", "updated_at"])
