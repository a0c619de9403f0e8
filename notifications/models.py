"""What people are told, one row a (fact, recipient, channel), written before anything is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models

from smartcourse.db.clock import later
from smartcourse.db.models import Entity


class MessageType(models.TextChoices):
    ACCOUNT_WELCOME = "account_welcome"
    EMAIL_VERIFICATION = "email_verification"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a mail
    EMAIL_CHANGE_CONFIRMATION = "email_change_confirmation"
    EMAIL_CHANGE_NOTICE = "email_change_notice"
    SIGN_IN_CODE = "sign_in_code"
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    COURSE_WELCOME = "course_welcome"
    COURSE_COMPLETED = "course_completed"
    COURSE_ARCHIVED = "course_archived"
    MODULE_COMPLETED = "module_completed"
    CERTIFICATE_READY = "certificate_ready"
    PUBLISHING_FAILED = "publishing_failed"
    OPERATIONS_ALERT = "operations_alert"
    WEBHOOK_DISABLED = "webhook_disabled"
    INSTRUCTOR_APPROVED = "instructor_approved"
    INSTRUCTOR_REJECTED = "instructor_rejected"
    EXPORT_READY = "export_ready"
    ERASURE_SCHEDULED = "erasure_scheduled"


class Channel(models.TextChoices):
    MAIL = "mail"
    IN_APP = "in_app"


class MessageStatus(models.TextChoices):
    PENDING = "PENDING"
    SENT = "SENT"
    FAILED = "FAILED"


class MessageQuerySet(models.QuerySet["Message"]):
    def in_app(self) -> Self:
        """Notices, as opposed to mails."""
        return self.filter(channel=Channel.IN_APP)

    def unread(self) -> Self:
        """Notices that their reader has not opened."""
        return self.filter(read_at=None)

    def visible_to(self, user: Any) -> Self:
        """One's own; nobody reads another's."""
        return self.filter(recipient=user.pk)


class Message(Entity):
    """One thing told to one person through one channel. The words are those of the moment that it was written."""

    fact_id = models.UUIDField()
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="messages")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    type = models.CharField(max_length=40, choices=MessageType.choices)
    title = models.CharField(max_length=255)
    body = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=MessageStatus.choices, default=MessageStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    dispatches = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Messages that the sweeper sent since the last attempt."
    )
    next_attempt_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["fact_id", "type", "recipient", "channel"],
                name="one_message_per_fact_recipient_and_channel",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(status=MessageStatus.PENDING),
                name="messages_still_to_send",
            ),
            models.Index(fields=["recipient", "-id"], name="messages_by_recipient"),
        ]

    def __str__(self) -> str:
        return self.title

    def mark_sent(self, *, at: datetime) -> None:
        """It left through its channel."""
        self.status, self.sent_at, self.attempts = MessageStatus.SENT, at, self.attempts + 1
        self.save(update_fields=["status", "sent_at", "attempts", "updated_at"])

    def wait(self, *, reason: str, seconds: float) -> None:
        """It did not leave; it is tried again after so many seconds."""
        self.attempts, self.last_error = self.attempts + 1, reason
        self.dispatches, self.next_attempt_at = 0, later(seconds)
        self.save(update_fields=["attempts", "last_error", "dispatches", "next_attempt_at", "updated_at"])

    def give_up(self, *, reason: str) -> None:
        """It did not leave, and is not tried any more until somebody says so."""
        self.status, self.attempts, self.last_error = MessageStatus.FAILED, self.attempts + 1, reason
        self.save(update_fields=["status", "attempts", "last_error", "updated_at"])

    def mark_read(self, *, at: datetime) -> None:
        """Its recipient opened it."""
        self.read_at = at
        self.save(update_fields=["read_at", "updated_at"])
