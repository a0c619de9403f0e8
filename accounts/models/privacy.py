"""What people ask of us about their own data: a copy of it, or its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q

from smartcourse.db.models import Entity


class PrivacyRequestKind(models.TextChoices):
    EXPORT = "export"
    ERASURE = "erasure"


class PrivacyRequestStatus(models.TextChoices):
    REQUESTED = "REQUESTED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


OPEN = (PrivacyRequestStatus.REQUESTED, PrivacyRequestStatus.RUNNING)


class PrivacyRequestQuerySet(models.QuerySet["PrivacyRequest"]):
    def exports(self) -> Self:
        """Requests for a copy."""
        return self.filter(kind=PrivacyRequestKind.EXPORT)

    def erasures(self) -> Self:
        """Requests for an end."""
        return self.filter(kind=PrivacyRequestKind.ERASURE)

    def open(self) -> Self:
        """Requests that are not answered yet."""
        return self.filter(status__in=OPEN)

    def outlived(self, at: datetime) -> Self:
        """Exports whose file has been kept for as long as it is."""
        return self.exports().filter(status=PrivacyRequestStatus.DONE, expires_at__lte=at)

    def visible_to(self, user: Any) -> Self:
        """One's own; staff see them in the back office, and nobody has another's export."""
        return self.filter(user=user.pk)


class PrivacyRequest(Entity):
    """Somebody wants a copy of all that is held on a person, or its end. It outlives both, and says what was done.

    `counts` is how many rows of which table were told, or erased; `archive` is the export, for as long as it is kept.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="privacy_requests"
    )
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=PrivacyRequestKind.choices)
    status = models.CharField(
        max_length=10, choices=PrivacyRequestStatus.choices, default=PrivacyRequestStatus.REQUESTED
    )
    reason = models.CharField(
        max_length=500, blank=True, help_text="Of staff who asked in the person's place."
    )
    workflow_id = models.UUIDField(null=True, editable=False)
    due_at = models.DateTimeField(help_text="When it is begun; until then its owner may think again.")
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="When the export is deleted.")
    archive = models.FileField(upload_to="exports/", blank=True)
    counts = models.JSONField(default=dict, blank=True)

    objects = PrivacyRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"],
                condition=Q(status__in=OPEN),
                name="one_open_privacy_request_of_a_kind",
            ),
            # Nobody ends another's account without saying why.
            models.CheckConstraint(
                condition=Q(kind=PrivacyRequestKind.EXPORT)
                | Q(user=models.F("requested_by"))
                | ~Q(reason=""),
                name="an_erasure_for_another_has_a_reason",
            ),
            # No file of somebody's whole life lies about without an end.
            models.CheckConstraint(
                condition=Q(archive="") | Q(expires_at__isnull=False), name="an_export_has_an_end"
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(status=PrivacyRequestStatus.DONE, expires_at__isnull=False),
                name="exports_by_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.status.lower()})"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_ready(self) -> bool:
        """Whether it is an export that can be had."""
        return self.status == PrivacyRequestStatus.DONE and bool(self.archive)

    @property
    def may_be_cancelled(self) -> bool:
        """Whether nothing has been done yet."""
        return self.status == PrivacyRequestStatus.REQUESTED

    def follow(self, workflow_id: UUID) -> None:
        """Remember the process that answers it."""
        self.workflow_id = workflow_id
        self.save(update_fields=["workflow_id", "updated_at"])

    def begin(self) -> None:
        """From now on it cannot be taken back."""
        self.status = PrivacyRequestStatus.RUNNING
        self.save(update_fields=["status", "updated_at"])

    def reopen(self) -> None:
        """It is tried once more."""
        self.status, self.finished_at = PrivacyRequestStatus.REQUESTED, None
        self.save(update_fields=["status", "finished_at", "updated_at"])

    def note(self, counts: dict[str, int]) -> None:
        """So many rows of these tables were done."""
        self.counts = {**self.counts, **counts}
        self.save(update_fields=["counts", "updated_at"])

    def finish(
        self, status: PrivacyRequestStatus, *, at: datetime, expires_at: datetime | None = None
    ) -> None:
        """It was answered, or will not be."""
        self.status, self.finished_at, self.expires_at = status, at, expires_at
        self.save(update_fields=["status", "finished_at", "expires_at", "archive", "counts", "updated_at"])

    def expire(self) -> None:
        """The export was kept for long enough; that there was one is still known."""
        self.archive.storage.delete(self.archive.name)
        self.archive, self.status = "", PrivacyRequestStatus.EXPIRED
        self.save(update_fields=["archive", "status", "updated_at"])
