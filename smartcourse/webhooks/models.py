"""Where webhooks go, what is owed to whom, and how each attempt went."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from smartcourse.db.encryption import EncryptedTextField
from smartcourse.db.models import Entity

PING = "webhook.ping"
SECRET_BYTES = 32
RESPONSE_CHARACTERS = 1024


def new_secret() -> str:
    """Return a new signing secret as Standard Webhooks writes it: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


class EndpointStatus(models.TextChoices):
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def enabled(self) -> Self:
        """Endpoints that are sent to: switched on, and their owner's account is."""
        return self.filter(
            models.Q(owner=None) | models.Q(owner__is_active=True), status=EndpointStatus.ENABLED
        )

    def of(self, owner_id: Any) -> Self:
        """A person's own endpoints; the platform's for None."""
        return self.filter(owner=owner_id)

    def rested(self) -> Self:
        """Endpoints that did not just fail several times in a row."""
        return self.filter(models.Q(rests_until=None) | models.Q(rests_until__lte=Now()))

    def visible_to(self, user: Any) -> Self:
        """One's own, and the platform's for staff; staff look after others' in the back office."""
        own = models.Q(owner=user.pk)
        return self.filter(own | models.Q(owner=None) if user.is_staff else own)


class Endpoint(Entity):
    """An address of somebody else's that is told what happens here: a person's, or the platform's (without owner).

    The URL may be a secret itself (a chat's incoming hook), so logs and facts name its host only.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="webhook_endpoints",
    )
    url = models.CharField("URL", max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    fact_types = ArrayField(models.CharField(max_length=100), verbose_name="facts")
    status = models.CharField(max_length=10, choices=EndpointStatus.choices, default=EndpointStatus.ENABLED)
    disabled_reason = models.CharField(max_length=200, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    # Shown once, in the answer to creation or rotation.
    secret = EncryptedTextField(default=new_secret, editable=False)
    previous_secret = EncryptedTextField(blank=True, editable=False)
    previous_secret_expires_at = models.DateTimeField("former secret signs until", null=True, blank=True)
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="The first failure since it last took one."
    )
    failures_in_a_row = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True, blank=True, help_text="Left alone until then.")
    woken_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status=EndpointStatus.ENABLED, disabled_at=None)
                | models.Q(status=EndpointStatus.DISABLED, disabled_at__isnull=False),
                name="a_disabled_endpoint_says_since_when",
            ),
            models.CheckConstraint(condition=~models.Q(fact_types=[]), name="an_endpoint_wants_something"),
        ]
        indexes = [
            GinIndex(
                fields=["fact_types"],
                condition=models.Q(status=EndpointStatus.ENABLED),
                name="endpoints_by_fact_type",
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.host

    @property
    def host(self) -> str:
        """The host of its URL, which may be told where the URL may not."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_platform(self) -> bool:
        """Whether it is the platform's own, and hears everything."""
        return self.owner_id is None

    @property
    def is_enabled(self) -> bool:
        return self.status == EndpointStatus.ENABLED

    def signing_secrets(self, *, at: datetime) -> list[str]:
        """Return the secrets that sign at that moment, the present one first."""
        ends_at = self.previous_secret_expires_at
        former = [self.previous_secret] if self.previous_secret and ends_at and ends_at > at else []
        return [self.secret, *former]

    def rotate_secret(self, *, at: datetime, overlap: timedelta) -> None:
        """Take a new secret; the present one goes on signing beside it for so long, the one before no more."""
        self.previous_secret, self.previous_secret_expires_at = self.secret, at + overlap
        self.secret = new_secret()
        self.save(update_fields=["secret", "previous_secret", "previous_secret_expires_at", "updated_at"])

    def change(self, **changes: Any) -> None:
        """Take on what its owner says of it."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.save(update_fields=[*changes, "updated_at"])

    def enable(self) -> None:
        """Send to it (again), as if it had never failed."""
        self.status, self.disabled_reason, self.disabled_at = EndpointStatus.ENABLED, "", None
        self.note_success()
        self.save(update_fields=["status", "disabled_reason", "disabled_at", "updated_at"])

    def disable(self, *, reason: str, at: datetime) -> None:
        """Send nothing more to it; what is pending waits."""
        self.status, self.disabled_reason, self.disabled_at = EndpointStatus.DISABLED, reason, at
        self.save(update_fields=["status", "disabled_reason", "disabled_at", "updated_at"])

    def mark_awake(self) -> None:
        """A worker came, so the message that woke it was not lost."""
        if self.woken_at:
            self.woken_at = None
            self.save(update_fields=["woken_at"])

    def note_success(self) -> None:
        """It took something, so it is well."""
        self.failing_since, self.failures_in_a_row, self.rests_until = None, 0, None
        self.save(update_fields=["failing_since", "failures_in_a_row", "rests_until"])

    def note_failure(self, *, at: datetime, rests_until: datetime | None) -> None:
        """It did not take something, and is perhaps left alone for a while."""
        self.failing_since = self.failing_since or at
        self.failures_in_a_row += 1
        self.rests_until = rests_until
        self.save(update_fields=["failing_since", "failures_in_a_row", "rests_until"])


class DeliveryStatus(models.TextChoices):
    PENDING = "PENDING"
    SENT = "SENT"
    FAILED = "FAILED"


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def pending(self) -> Self:
        """Deliveries that were neither taken nor given up."""
        return self.filter(status=DeliveryStatus.PENDING)

    def in_flight(self) -> Self:
        """Deliveries that a worker is sending at this moment."""
        return self.pending().filter(leased_until__gt=Now())

    def due(self) -> Self:
        """Deliveries that want to be sent, and that no (living) worker is sending."""
        free = models.Q(leased_until=None) | models.Q(leased_until__lte=Now())
        return self.pending().filter(free, next_attempt_at__lte=Now())

    def by_hand(self) -> Self:
        """Pings, and redeliveries not tried yet: somebody waits for these."""
        return self.filter(models.Q(fact_type=PING) | models.Q(redelivery__gt=0), attempts=0)

    def visible_to(self, user: Any) -> Self:
        """Those to the endpoints that the person may see."""
        return self.filter(endpoint__in=Endpoint.objects.visible_to(user))


class WebhookDelivery(Entity):
    """That one endpoint is owed one fact. The body is frozen: every attempt, and every redelivery, sends the same.

    A worker that sends it holds a lease, and no lock: a receiver may take its ten seconds, the database need not wait.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    # An id and no reference: facts leave the outbox for its archive while this row stays.
    fact_id = models.UUIDField()
    fact_type = models.CharField(max_length=100)
    redelivery = models.PositiveSmallIntegerField(
        default=0, help_text="0 by itself, then once for each time by hand."
    )
    body = models.TextField()
    status = models.CharField(max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="Begun, whether or not they were told of."
    )
    next_attempt_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, editable=False)
    lease_token = models.PositiveIntegerField(default=0, editable=False)
    finished_at = models.DateTimeField(null=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "fact_id", "redelivery"], name="one_delivery_per_endpoint_and_fact"
            ),
            # Also: nobody holds a lease on what has ended.
            models.CheckConstraint(
                condition=models.Q(status=DeliveryStatus.PENDING, finished_at=None)
                | (
                    ~models.Q(status=DeliveryStatus.PENDING)
                    & models.Q(finished_at__isnull=False, leased_until=None)
                ),
                name="a_webhook_that_ended_says_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=models.Q(status=DeliveryStatus.PENDING),
                name="webhooks_still_to_send",
            ),
            models.Index(fields=["endpoint", "-id"], name="webhooks_by_endpoint"),
            models.Index(fields=["created_at"], name="webhooks_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.fact_type} ({self.message_id})"

    @property
    def message_id(self) -> str:
        """What receivers tell repetitions by: the same over all attempts and redeliveries of a fact."""
        return f"msg_{self.fact_id.hex}"

    def lease(self, *, seconds: float) -> None:
        """Take it in hand for so long, by the database's clock, and count the attempt that begins."""
        self.attempts, self.lease_token = self.attempts + 1, self.lease_token + 1
        WebhookDelivery.objects.filter(pk=self.pk).update(
            attempts=self.attempts,
            lease_token=self.lease_token,
            leased_until=Now() + timedelta(seconds=seconds),
        )

    def finish(self, status: DeliveryStatus, *, at: datetime) -> None:
        """It was taken, or is given up."""
        self.status, self.finished_at, self.leased_until = status, at, None
        self.save(update_fields=["status", "finished_at", "leased_until", "updated_at"])

    def hurry(self, *, at: datetime) -> None:
        """It is sent at that moment instead of later."""
        self.next_attempt_at = min(self.next_attempt_at, at)
        self.save(update_fields=["next_attempt_at", "updated_at"])

    def wait(self, *, until: datetime) -> None:
        """It was not taken, and is tried again later."""
        self.next_attempt_at, self.leased_until = until, None
        self.save(update_fields=["next_attempt_at", "leased_until", "updated_at"])


class DeliveryAttempt(models.Model):
    """How one attempt went: what the receiver said, or why it said nothing."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="log")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField("took (ms)")
    status_code = models.PositiveSmallIntegerField(null=True)
    response = models.TextField(blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "number"], name="one_record_per_attempt_at_a_webhook"
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.status_code or self.error}"
