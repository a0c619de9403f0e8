"""Keeping the outbox small: what everybody has handled goes to the archive, and from there, in the end, away."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from smartcourse.events.models import ArchivedFact, Delivery, DeliveryStatus, OutboxFact

BATCH = 1000
"""Rows a transaction: the locks of a large one would be felt."""
COLUMNS = (
    "id", "type", "version", "aggregate", "aggregate_id", "sequence", "payload", "request_id",
    "occurred_at", "position",
)  # fmt: skip


def archivable_facts(*, days: float | None = None) -> QuerySet[OutboxFact]:
    """Return the facts that were relayed so many days ago (OUTBOX_ARCHIVE_DAYS) and that nobody is owed any more."""
    age = settings.OUTBOX_ARCHIVE_DAYS if days is None else days
    open_ones = Delivery.objects.filter(fact=OuterRef("pk")).exclude(status=DeliveryStatus.HANDLED)
    return OutboxFact.objects.filter(relayed_at__lt=Now() - timedelta(days=age)).exclude(Exists(open_ones))


def archive_facts(*, days: float | None = None) -> int:
    """Move what is archivable out of the outbox, its deliveries with it, and return how many facts that was."""
    moved = 0
    while batch := _archive_batch(days):
        moved += batch
    return moved


def _archive_batch(days: float | None) -> int:
    with transaction.atomic():
        candidates = archivable_facts(days=days).order_by("relayed_at")
        facts = list(candidates.select_for_update(skip_locked=True, of=("self",))[:BATCH])
        # A redrive by hand may have opened a delivery again since; it waits for this lock, or this sees its work.
        locked = Delivery.objects.filter(fact__in=facts).select_for_update().values_list("fact_id", "status")
        busy = {fact_id for fact_id, status in locked if status != DeliveryStatus.HANDLED}
        facts = [fact for fact in facts if fact.pk not in busy]
        ArchivedFact.objects.bulk_create(
            [ArchivedFact(**{name: getattr(fact, name) for name in COLUMNS}) for fact in facts]
        )
        OutboxFact.objects.filter(pk__in=[fact.pk for fact in facts]).delete()
        return len(facts)


def restore_facts(archived: QuerySet[ArchivedFact]) -> int:
    """Take these facts back into the outbox, as relayed ones that nobody is owed, and return how many they were."""
    with transaction.atomic():
        facts = list(archived.select_for_update(skip_locked=True))
        OutboxFact.objects.bulk_create(
            [
                OutboxFact(**{name: getattr(fact, name) for name in COLUMNS}, relayed_at=Now())
                for fact in facts
            ]
        )
        ArchivedFact.objects.filter(pk__in=[fact.pk for fact in facts]).delete()
        return len(facts)


def prune_archive() -> int:
    """Delete what has been in the archive for longer than it is kept, and return how many facts that was."""
    before, gone = Now() - timedelta(days=settings.ARCHIVE_KEEP_DAYS), 0
    old = ArchivedFact.objects.filter(occurred_at__lt=before)
    while batch := list(old.values_list("pk", flat=True)[:BATCH]):
        gone += ArchivedFact.objects.filter(pk__in=batch).delete()[0]
    return gone
