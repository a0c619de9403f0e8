"""Handling what subscribers are owed: once each, retried with growing patience, parked at the end."""

from __future__ import annotations

import random
import time
import traceback
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from smartcourse.db.clock import later
from smartcourse.events.events import DeliveryParked
from smartcourse.events.models import Delivery, DeliveryStatus
from smartcourse.events.outbox import publish
from smartcourse.events.owing import Owed
from smartcourse.events.subscriptions import subscription
from smartcourse.observability.context import request_context
from smartcourse.queues.dispatch import enqueue

JITTER = 0.1
"""Retries are put off by up to this part more, so that what failed together does not come back together."""
MESSAGES_LOST = 3
"""As many messages without an attempt to show for them: they stand in a long queue, or workers died over this."""
ALERT_INTERVAL = timedelta(hours=1)
ERROR_LENGTH = 4000

TAKEN = "A worker took this up, and was not heard of again."

# Locks, checks and marks in one round trip; whoever holds the row is handling it now, and nobody waits for that.
_CLAIM = """
    UPDATE events_delivery SET status = 'HANDLED', handled_at = clock_timestamp(), attempts = attempts + 1,
        last_error = replace(last_error, %s, '')
    WHERE id = (SELECT id FROM events_delivery WHERE id = %s AND status = 'PENDING' FOR UPDATE SKIP LOCKED)
"""

log = structlog.get_logger(__name__)


class WorkerDied(Exception):
    """Whoever took the delivery up last did not come back to tell how it went."""


def handle_deliveries(delivery_ids: Iterable[UUID]) -> int:
    """Handle those of these deliveries that are still owed, each in a transaction of its own; return how many were."""
    owed = Delivery.objects.pending().filter(pk__in=list(delivery_ids)).select_related("fact")
    return sum([_handle(delivery) for delivery in owed])


def handle_delivery(delivery_id: UUID) -> bool:
    """Run the subscriber for this delivery and mark it handled, in one transaction; return whether it ran.

    Handled, parked, or in another worker's hands: nothing happens.
    """
    return handle_deliveries([delivery_id]) == 1


def _handle(delivery: Delivery) -> bool:
    if delivery.dispatches - delivery.attempts >= MESSAGES_LOST and not _write_ahead(delivery):
        return False
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_CLAIM, [TAKEN, delivery.pk])
                if not cursor.rowcount:
                    return False
            # What it changes and the mark above are committed together, or neither is.
            _run_subscriber(delivery)
    except Exception as error:
        _record_failure(delivery.pk, error)
        if isinstance(error, SoftTimeLimitExceeded):
            # The task's time is up; what is left of its batch is swept.
            raise
        return False
    return True


def _run_subscriber(delivery: Delivery) -> None:
    row = delivery.fact
    fact = row.read()
    with request_context(row.request_id):
        started = time.perf_counter()
        subscription(delivery.subscriber).handler(fact)
        log.info(
            "delivery",
            subscriber=delivery.subscriber,
            fact_type=row.type,
            fact=str(row.pk),
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )


def _write_ahead(delivery: Delivery) -> bool:
    """Note an attempt before it is made, so that one which kills its worker counts; return whether to make it."""
    if delivery.last_error == TAKEN:
        _record_failure(delivery.pk, WorkerDied(TAKEN))
    return bool(Delivery.objects.pending().filter(pk=delivery.pk).update(last_error=TAKEN))


def _record_failure(delivery_id: UUID, error: Exception) -> None:
    """Write the failure down, outside of the transaction that it rolled back; park what has no retry left."""
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
        if delivery.status != DeliveryStatus.PENDING:
            return
        delivery.attempts += 1
        delivery.last_error = "".join(traceback.format_exception(error))[-ERROR_LENGTH:]
        if delivery.attempts > len(settings.DELIVERY_RETRY_SECONDS):
            park(delivery)
        else:
            patience = settings.DELIVERY_RETRY_SECONDS[delivery.attempts - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311 - jitter is no secret
            delivery.next_attempt_at = later(patience)
        delivery.save()
    log.error(
        "a subscriber failed", subscriber=delivery.subscriber, attempts=delivery.attempts, exc_info=error
    )


def park(delivery: Delivery) -> None:
    """Give the delivery up until somebody redrives it; staff hear of it, once an hour for each subscriber.

    The caller holds its lock and saves it.
    """
    delivery.status, delivery.parked_at, delivery.next_attempt_at = (
        DeliveryStatus.PARKED,
        timezone.now(),
        None,
    )
    recently = Delivery.objects.parked().filter(
        subscriber=delivery.subscriber, parked_at__gt=delivery.parked_at - ALERT_INTERVAL
    )
    # Who cannot be told that something is parked is not told that this is.
    if delivery.fact.type != DeliveryParked.type and not recently.exists():
        publish(
            DeliveryParked(
                delivery_id=delivery.pk,
                subscriber=delivery.subscriber,
                fact_type=delivery.fact.type,
                error=delivery.last_error.strip().rpartition("\n")[2][:300],
            )
        )


def send_messages(deliveries: Iterable[Owed]) -> None:
    """Have workers handle these deliveries: a message for each subscriber, or several where they come in heaps.

    One task a delivery costs more than most subscribers do; a batch is still handled one transaction at a time.
    """
    heaps: dict[str, list[str]] = defaultdict(list)
    for subscriber, delivery_id in deliveries:
        heaps[subscriber].append(str(delivery_id))
    for subscriber, ids in heaps.items():
        queue = queue_of(subscriber)
        for start in range(0, len(ids), settings.DELIVERY_BATCH):
            enqueue("events.deliver", queue=queue, delivery_ids=ids[start : start + settings.DELIVERY_BATCH])


def queue_of(subscriber: str) -> str:
    """Return the queue of that subscriber; that of one who is gone is the queue where it will be found to be gone."""
    try:
        return subscription(subscriber).queue
    except LookupError:
        return "events"
