"""The devices that people are signed in on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from smartcourse.db.models import Entity


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self, at: datetime) -> Self:
        """Sessions neither revoked nor run out."""
        return self.filter(revoked_at=None, expires_at__gt=at)

    def over(self, before: datetime) -> Self:
        """Sessions that were revoked, or ran out, before that moment; the cache knows of it."""
        return self.filter(Q(revoked_at__lt=before) | Q(expires_at__lt=before), is_told=True)

    def untold(self) -> Self:
        """Sessions that ended while the cache was away, and of which it does not know yet."""
        return self.filter(is_told=False)

    def visible_to(self, user: Any) -> Self:
        """One's own sessions; nobody sees another's."""
        return self.filter(user=user.pk)


class Session(Entity):
    """One device that a person is signed in on; revoking it refuses its access tokens from the next request on."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions")
    user_agent = models.CharField(max_length=255, blank=True)
    address = models.GenericIPAddressField(null=True)
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    is_told = models.BooleanField(
        default=True,
        db_default=True,
        editable=False,
        help_text="The cache knows of its end, or has nothing to know.",
    )

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Asked once a second by every process; there are hardly ever any.
            models.Index(fields=["id"], condition=models.Q(is_told=False), name="sessions_untold"),
        ]

    def __str__(self) -> str:
        return f"{self.user_agent or 'device'} since {self.created_at:%Y-%m-%d}"


class RefreshToken(Entity):
    """A refresh token, known here only by its SHA-256, good for one use.

    Its successor is derived from it by HMAC, so that a client whose answer was lost gets the same one again within
    the grace, although no token is stored in clear.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="refresh_tokens")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Of any number of refreshes at once, one has a successor; the database would refuse a second.
            models.UniqueConstraint(
                fields=["session"],
                condition=models.Q(used_at=None),
                name="one_unused_refresh_token_per_session",
            ),
        ]

    def __str__(self) -> str:
        return f"refresh token of session {self.session_id}"
