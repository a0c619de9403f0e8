"""The outbox: facts as they were written, what became of them at each subscriber, and where the old ones are kept."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from smartcourse.db.identifiers import uuid7
from smartcourse.events.facts import Fact, fact_class


class WrittenFact(models.Model):
    """The columns of a fact; `sequence` is exact within an aggregate."""

    id = models.UUIDField(primary_key=True, editable=False)
    type = models.CharField(max_length=100)
    version = models.PositiveSmallIntegerField()
    aggregate = models.CharField(max_length=50)
    aggregate_id = models.UUIDField()
    sequence = models.PositiveBigIntegerField()
    payload = models.JSONField()
    request_id = models.CharField(max_length=128, blank=True)
    occurred_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.type} #{self.sequence}"

    def read(self) -> Fact:
        """Return the fact as it was published, by the class of today.

        Raises:
            LookupError: no context declares it (any more).
        """
        return fact_class(self.type).from_payload(
            self.payload, fact_id=self.pk, occurred_at=self.occurred_at, version=self.version
        )


class OutboxFact(WrittenFact):
    """A fact, written in the transaction of the change that it tells of.

    `position` orders the relay's work only roughly (a sequence is not commit order), which is why the relay goes by
    `relayed_at` and never by "position > last"; within an aggregate it agrees with `sequence`.
    """

    position = models.BigIntegerField(
        db_default=models.Func(models.Value("events_outbox_position"), function="nextval"), editable=False
    )
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
            # What is old enough for the archive.
            models.Index(
                fields=["relayed_at"], condition=models.Q(relayed_at__isnull=False), name="facts_by_relaying"
            ),
        ]


class ArchivedFact(WrittenFact):
    """A fact that all its subscribers have handled; it goes back to the outbox when one of them is replayed."""

    position = models.BigIntegerField()
    archived_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-position"]
        indexes = [
            models.Index(fields=["type", "position"], name="archive_by_type"),
            models.Index(fields=["occurred_at"], name="archive_by_age"),
            # Whom a fact names is asked when people take their data along, or away. The outbox has no such index: it is
            # small, and would pay for it with each fact.
            GinIndex(fields=["payload"], opclasses=["jsonb_path_ops"], name="archive_by_payload"),
        ]


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


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def pending(self) -> Self:
        """Those that are still owed."""
        return self.filter(status=DeliveryStatus.PENDING)

    def parked(self) -> Self:
        """Those that were given up until somebody redrives them."""
        return self.filter(status=DeliveryStatus.PARKED)

    def of_fact(self, pattern: str) -> Self:
        """Those of one type of fact, or of a family of types ("progress.*")."""
        if pattern.endswith(".*"):
            return self.filter(fact__type__startswith=pattern[:-1])
        return self.filter(fact__type=pattern)

    def due(self) -> Self:
        """Pending ones whose next attempt, or whose lost message, is due, by the database's clock."""
        return self.pending().filter(next_attempt_at__lte=Now())


class Delivery(models.Model):
    """That one subscriber is owed one fact; marked handled in the transaction of the effect itself.

    `attempts` counts failures that were recorded, `dispatches` how often the sweeper sent a message for it: where the
    second runs ahead of the first, workers died over it. A sink's deliveries have no next attempt: a process of the
    sink's own takes them in order.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    fact = models.ForeignKey(OutboxFact, on_delete=models.CASCADE, related_name="deliveries")
    position = models.BigIntegerField(help_text="The fact's own, so that a sink can go by order.")
    subscriber = models.CharField(max_length=150)
    status = models.CharField(max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    dispatches = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    next_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

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
            models.Index(
                fields=["subscriber", "position"],
                condition=models.Q(status=DeliveryStatus.PENDING),
                name="deliveries_in_order",
            ),
            models.Index(
                fields=["subscriber", "parked_at"],
                condition=models.Q(status=DeliveryStatus.PARKED),
                name="deliveries_parked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} ({self.status.lower()})"
