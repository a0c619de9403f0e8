"""How often signing in went wrong lately: for one account, from one place."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

ANYWHERE = ""
"""The place of the row that counts for an account as a whole."""


class SignInAttemptsQuerySet(models.QuerySet["SignInAttempts"]):
    def of(self, account: str) -> Self:
        """All rows of the account of that name."""
        return self.filter(account=account)

    def pairs(self) -> Self:
        """Rows of an account and a place, without those that sum the account up."""
        return self.exclude(place=ANYWHERE)

    def failing(self) -> Self:
        """Pairs where something went wrong since it last went well."""
        return self.pairs().filter(failures__gt=0)

    def locked(self, at: datetime) -> Self:
        """Pairs that are refused now."""
        return self.filter(locked_until__gt=at)

    def forgettable(self, *, before: datetime, unknown_before: datetime) -> Self:
        """Rows without use: places that were known until then, and others where nothing happened since."""
        known = Q(succeeded_at__isnull=False)
        return self.filter(known & Q(last_at__lt=before) | ~known & Q(last_at__lt=unknown_before))


class SignInAttempts(models.Model):
    """What one place has tried lately to sign in to one account, or (place empty) all strange places together.

    In PostgreSQL, because a flushed Redis would give everybody who guesses five more guesses. The account is named by
    an HMAC of the address that was typed, whether somebody has it or not, so that both cost the same; `user` is for
    the eyes of staff. A place is a network address, or a device that has proved itself.
    """

    account = models.CharField(max_length=64)
    place = models.CharField(max_length=64, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sign_in_attempts"
    )
    failures = models.PositiveIntegerField(help_text="Wrong ones without a rest, those under way included.")
    last_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)

    objects = SignInAttemptsQuerySet.as_manager()

    class Meta:
        ordering = ["-last_at", "-id"]
        verbose_name_plural = "sign-in attempts"
        constraints = [
            # What is counted is counted in one row, however many come at once.
            models.UniqueConstraint(fields=["account", "place"], name="one_count_per_account_and_place"),
        ]
        indexes = [models.Index(fields=["last_at"], name="sign_in_attempts_by_age")]

    def __str__(self) -> str:
        return f"attempts from {self.place or 'anywhere'}"
