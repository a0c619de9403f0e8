"""Keys by which software speaks for a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from smartcourse.db.models import Entity

LONGEST_LIFE = timedelta(days=366)
# A creation is noted a moment after the caller read the clock.
LATITUDE = timedelta(minutes=1)


class ApiKeyScope(models.TextChoices):
    """What a key may open: the resources of the API, to read or to change; changing does not include reading."""

    COURSES_READ = "courses:read"
    COURSES_WRITE = "courses:write"
    ENROLLMENTS_READ = "enrollments:read"
    ENROLLMENTS_WRITE = "enrollments:write"
    PROGRESS_READ = "progress:read"
    PROGRESS_WRITE = "progress:write"
    CERTIFICATES_READ = "certificates:read"
    CERTIFICATES_WRITE = "certificates:write"
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_WRITE = "notifications:write"
    ANALYTICS_READ = "analytics:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    WORKFLOWS_READ = "workflows:read"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def kept(self) -> Self:
        """Keys that were not revoked, expired ones too."""
        return self.filter(revoked_at=None)

    def live(self, at: datetime) -> Self:
        """Keys that open something."""
        return self.kept().filter(expires_at__gt=at)

    def visible_to(self, user: Any) -> Self:
        """One's own keys; nobody sees another's."""
        return self.filter(user=user.pk)


class ApiKey(Entity):
    """A key that a person gave to a program; it never opens more than its owner may, nor than its scopes say.

    Known here by its SHA-256 (it is 256 random bits, so nothing slower is needed) and shown by its prefix.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "API key"
        constraints = [
            # A key that opens nothing, or for ever, is a mistake.
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="api_keys_open_something"),
            models.CheckConstraint(
                condition=Q(expires_at__lte=F("created_at") + LONGEST_LIFE + LATITUDE),
                name="api_keys_last_a_year_at_most",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (sc_{self.prefix}_…)"

    @property
    def rate_limit_caller(self) -> str:
        """Whose bucket its requests take from: its own, so that a program does not shut out the person."""
        return f"{self.user_id}:{self.pk}"

    def opens(self, scope: str) -> bool:
        """Return whether the key holds that scope."""
        return scope in self.scopes
