"""What people ask to be mailed, and the addresses they would rather have."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from smartcourse.db.models import Entity


class MailWanted(models.TextChoices):
    """What somebody without a session may ask to be mailed."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a mail
    VERIFICATION = "verification"


class MailRequestQuerySet(models.QuerySet["MailRequest"]):
    def unanswered(self) -> Self:
        """Requests that nobody has looked at yet."""
        return self.filter(answered_at=None)

    def mailed_since(self, moment: datetime, *, wanted: str, account: str) -> Self:
        """Requests of the same kind that led to a mail to that account since then."""
        return self.filter(wanted=wanted, account=account, was_mailed=True, answered_at__gt=moment)


class MailRequest(Entity):
    """Somebody asked for a mail to an address, whether or not it has an account.

    The request writes this row and nothing else, and a worker finds out whose address it is: so neither the answer nor
    its time can tell who has an account. The address is forgotten once it was looked at; of it stays an HMAC, by which
    mails to one account are counted.
    """

    wanted = models.CharField(max_length=20, choices=MailWanted.choices)
    email = models.EmailField(max_length=254, blank=True)
    account = models.CharField(max_length=64)
    requested_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    was_mailed = models.BooleanField(default=False)

    objects = MailRequestQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at=None) | Q(email=""), name="answered_requests_keep_no_address"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(answered_at=None), name="mail_requests_unanswered"),
            models.Index(fields=["account", "answered_at"], name="mail_requests_by_account"),
            models.Index(fields=["requested_at"], name="mail_requests_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.wanted} asked for at {self.requested_at:%Y-%m-%d %H:%M}"

    def answer(self, *, at: datetime, mailed: bool) -> None:
        """It was looked at, and led to a mail or not; whose address it was is forgotten."""
        self.email, self.answered_at, self.was_mailed = "", at, mailed
        self.save(update_fields=["email", "answered_at", "was_mailed", "updated_at"])


class EmailChangeQuerySet(models.QuerySet["EmailChange"]):
    def open(self) -> Self:
        """Changes that wait for the link to be opened."""
        return self.filter(confirmed_at=None, cancelled_at=None)

    def visible_to(self, user: Any) -> Self:
        """One's own; nobody sees another's."""
        return self.filter(user=user.pk)


class EmailChange(Entity):
    """An address that a person would rather have; theirs once the link that was mailed there is opened.

    It is not reserved: who registers it in the meantime, or confirms it first, has it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="email_changes")
    old_email = models.EmailField(max_length=254)
    new_email = models.EmailField(max_length=254)
    requested_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    objects = EmailChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            # A link that was mailed to one address never confirms another.
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(confirmed_at=None, cancelled_at=None),
                name="one_open_email_change_per_person",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | Q(cancelled_at=None),
                name="email_changes_are_confirmed_or_cancelled",
            ),
            models.CheckConstraint(condition=~Q(new_email=F("old_email")), name="email_changes_change_it"),
            models.CheckConstraint(
                condition=Q(new_email=Lower("new_email")), name="new_emails_are_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return f"change of address asked for at {self.requested_at:%Y-%m-%d %H:%M}"

    def confirm(self, *, at: datetime) -> None:
        """The link was opened."""
        self.confirmed_at = at
        self.save(update_fields=["confirmed_at", "updated_at"])
