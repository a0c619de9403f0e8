"""The outbox: facts as they were written, and what became of them at each subscriber."""

from __future__ import annotations

from django.db import models

from smartcourse.db.identifiers import uuid7


class OutboxFact(models.Model):
    """A fact, written in the transaction of the change that it tells of.

    `position` orders the relay's work only roughly (a sequence is not commit order), which is why the relay goes by
    `relayed_at` and never by "position > last"; `sequence` is exact within an aggregate.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    position = models.BigIntegerField(
        db_default=models.Func(models.Value("events_outbox_position"), function="nextval"), editable=False
    )
    type = models.CharField(max_length=100)
    version = models.PositiveSmallIntegerField()
    aggregate = models.CharField(max_length=50)
    aggregate_id = models.UUIDField()
    sequence = models.PositiveBigIntegerField()
    payload = models.JSONField()
    request_id = models.CharField(max_length=128, blank=True)
    occurred_at = models.DateTimeField()
    relayed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "fact"
        ordering = ["-position"]
        constraints = [
            models.UniqueConstraint(
                fields=["aggregate", "aggregate_id", "sequence"], name="one_fact_per_sequence_number"
            ),
        ]
        indexes = [
            # The relay reads by this and nothing else; handled facts cost it nothing.
            models.Index(
                fields=["position"], condition=models.Q(relayed_at=None), name="facts_not_yet_relayed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} #{self.sequence}"


class AggregateCounter(models.Model):
    """The last sequence number of an aggregate; its row stays locked until commit, which keeps facts in order."""

    key = models.CharField(primary_key=True, max_length=100)
    last = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.key}: {self.last}"


class DeliveryStatus(models.TextChoices):
    PENDING = "PENDING"
    HANDLED = "HANDLED"
    PARKED = "PARKED"


class Delivery(models.Model):
    """That one subscriber is owed one fact; marked handled in the transaction of the effect itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    fact = models.ForeignKey(OutboxFact, on_delete=models.CASCADE, related_name="deliveries")
    subscriber = models.CharField(max_length=150)
    status = models.CharField(max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    next_attempt_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["fact", "subscriber"], name="one_delivery_per_fact_and_subscriber"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(status=DeliveryStatus.PENDING),
                name="deliveries_still_owed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} ({self.status.lower()})"
