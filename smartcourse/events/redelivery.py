"""Delivering again: what a lost message left lying, what was parked, and all that a subscriber ever heard."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from smartcourse.db.clock import ever_later
from smartcourse.events.deliveries import send_messages
from smartcourse.events.models import ArchivedFact, Delivery, DeliveryStatus, OutboxFact
from smartcourse.events.owing import owe
from smartcourse.events.retention import restore_facts
from smartcourse.events.subscriptions import EVERY_FACT, sinks, subscription

SWEEP_LIMIT = 5000
REPLAY_BATCH = 1000


def sweep_deliveries() -> int:
    """Send again the messages of deliveries that are due, and return how many: retries, and what was lost."""
    with transaction.atomic():
        due = list(
            Delivery.objects.due()
            .select_for_update(skip_locked=True)
            .order_by("next_attempt_at")
            .values_list("subscriber", "pk")[:SWEEP_LIMIT]
        )
        send_messages(due)
        # Put off, so that the next sweep does not send them once more while they wait in their queue.
        Delivery.objects.filter(pk__in=[delivery_id for _, delivery_id in due]).update(
            next_attempt_at=ever_later(2 * settings.DELIVERY_REDISPATCH_SECONDS, sent="dispatches"),
            dispatches=F("dispatches") + 1,
        )
    return len(due)


def redrive(deliveries: QuerySet[Delivery] | None = None) -> int:
    """Give the parked ones among these deliveries (all, where none are named) their attempts back; return how many."""
    among = Delivery.objects.all() if deliveries is None else deliveries
    return _owe_again(among.filter(status=DeliveryStatus.PARKED))


def deliver_again(facts: QuerySet[OutboxFact]) -> int:
    """Owe these facts once more to all who have heard them or given them up; return how many deliveries that is."""
    return _owe_again(Delivery.objects.filter(fact__in=facts).exclude(status=DeliveryStatus.PENDING))


def _owe_again(deliveries: QuerySet[Delivery]) -> int:
    # The error stays where it is until the next attempt: whoever looks wants to know what was mended.
    changes = {"status": DeliveryStatus.PENDING, "attempts": 0, "dispatches": 0, "parked_at": None}
    # A sink takes its own in order; the sweeper has nothing to do with them.
    to_sinks = deliveries.filter(subscriber__in=sinks()).update(**changes, next_attempt_at=None)
    return to_sinks + deliveries.exclude(subscriber__in=sinks()).update(**changes, next_attempt_at=Now())


def count_facts_for(subscriber: str) -> int:
    """Return how many facts a replay of this subscriber would deliver.

    Raises:
        LookupError: nobody subscribes under that name.
    """
    types = _types_for(subscriber)
    return sum(model.objects.filter(**types).count() for model in (OutboxFact, ArchivedFact))


def replay(subscriber: str, *, progress: Callable[[int], None] = lambda done: None) -> int:
    """Owe the subscriber every fact of its type from the beginning, those in the archive too; return how many.

    `progress` is told how many are done after each batch, which is committed by itself: broken off, it may be begun
    again. Subscribers bear hearing twice, and do what they did where that is not done yet.

    Raises:
        LookupError: nobody subscribes under that name.
    """
    types, done, last = _types_for(subscriber), 0, -1
    while restore_facts(ArchivedFact.objects.filter(**types).order_by("position")[:REPLAY_BATCH]):
        pass
    while batch := _next_facts(types, after=last):
        owe([(row, subscriber) for row in batch], due_in=0, again=True)
        last = batch[-1].position
        done += len(batch)
        progress(done)
    return done


def _types_for(subscriber: str) -> dict[str, str]:
    fact_type = EVERY_FACT if subscriber in sinks() else subscription(subscriber).fact_type
    return {} if fact_type == EVERY_FACT else {"type": fact_type}


def _next_facts(types: dict[str, str], *, after: int) -> list[OutboxFact]:
    # What is not relayed yet will reach the subscriber by itself.
    relayed = OutboxFact.objects.filter(relayed_at__isnull=False, position__gt=after, **types)
    return list(relayed.order_by("position").only("pk", "position")[:REPLAY_BATCH])
