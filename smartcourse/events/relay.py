"""The relay: takes committed facts out of the outbox, in order per aggregate, and owes each to its subscribers."""

from __future__ import annotations

import select
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from smartcourse.events.dispatch import enqueue
from smartcourse.events.facts import fact_class
from smartcourse.events.models import Delivery, OutboxFact
from smartcourse.events.outbox import CHANNEL
from smartcourse.events.subscriptions import subscribers_of

# The advisory lock that makes one relay the active one; the others wait on it.
ACTIVE_RELAY = 0x5C_0001
BATCH = 500
# A message that was lost is sent again after this; until then the sweeper leaves the delivery to its first message.
DISPATCH_GRACE = timedelta(seconds=15)

log = structlog.get_logger(__name__)


def relay_batch(limit: int = BATCH) -> int:
    """Relay up to `limit` facts in one transaction and return how many; zero means the outbox is empty."""
    with transaction.atomic():
        facts = list(
            OutboxFact.objects.filter(relayed_at=None).order_by("position").select_for_update()[:limit]
        )
        deliveries = [delivery for fact in facts for delivery in _send(fact)]
        # A fact relayed twice (it cannot be, but an invariant is cheap) would not be delivered twice.
        Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
        OutboxFact.objects.filter(pk__in=[fact.pk for fact in facts]).update(relayed_at=timezone.now())
        for delivery in deliveries:
            enqueue("events.deliver", queue=_queue_of(delivery), delivery_id=str(delivery.pk))
    return len(facts)


def _send(row: OutboxFact) -> list[Delivery]:
    """Send the fact's Django signal, and return what its subscribers are owed."""
    try:
        kind = fact_class(row.type)
    except LookupError:
        # A fact of a release that was rolled back: kept in the outbox, owed to nobody.
        log.warning("a fact of an unknown type is passed over", fact_type=row.type, fact=str(row.pk))
        return []
    fact = kind.from_payload(row.payload, fact_id=row.pk, occurred_at=row.occurred_at)
    for receiver, outcome in kind.signal.send_robust(sender=kind, fact=fact):
        if isinstance(outcome, Exception):
            log.error(
                "a signal receiver failed", receiver=repr(receiver), fact_type=row.type, exc_info=outcome
            )
    due = timezone.now() + DISPATCH_GRACE
    return [Delivery(fact=row, subscriber=s.name, next_attempt_at=due) for s in subscribers_of(row.type)]


def _queue_of(delivery: Delivery) -> str:
    from smartcourse.events.subscriptions import subscription

    return subscription(delivery.subscriber).queue


class Relay:
    """The loop of the relay process: woken by NOTIFY, and once a second."""

    def __init__(self, *, stopping: Callable[[], bool], interval: float = 1.0) -> None:
        self.stopping = stopping
        self.interval = interval

    def run(self) -> None:
        """Wait to be the active relay, then relay until told to stop."""
        if not self._become_active():
            return
        log.info("this relay is the active one")
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        while not self.stopping():
            while relay_batch() and not self.stopping():
                pass
            self._wait_for_news()

    def _become_active(self) -> bool:
        while not self.stopping():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [ACTIVE_RELAY])
                row = cursor.fetchone()
            if row and row[0]:
                return True
            self._wait_for_news()
        return False

    def _wait_for_news(self) -> None:
        raw = connection.connection
        if select.select([raw.fileno()], [], [], self.interval)[0]:
            for _ in raw.notifies(timeout=0):
                pass
