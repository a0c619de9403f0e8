"""Handling what subscribers are owed: once each, retried with growing patience, parked at the end."""

from __future__ import annotations

import traceback
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from smartcourse.events.dispatch import enqueue
from smartcourse.events.facts import fact_class
from smartcourse.events.models import Delivery, DeliveryStatus
from smartcourse.events.subscriptions import subscription
from smartcourse.observability.context import request_context

RETRY_AFTER = (timedelta(seconds=60), timedelta(seconds=300), timedelta(seconds=900))
SWEEP_LIMIT = 1000

log = structlog.get_logger(__name__)


def handle_delivery(delivery_id: UUID) -> bool:
    """Run the subscriber for this delivery and mark it handled, in one transaction; return whether it ran.

    Handled, parked, or in another worker's hands: nothing happens. A failure is written down outside of the
    transaction that it rolled back.
    """
    try:
        with transaction.atomic():
            # SKIP LOCKED: whoever holds the row is handling it now, and a second message need not wait for that.
            delivery = (
                Delivery.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("fact")
                .filter(pk=delivery_id, status=DeliveryStatus.PENDING)
                .first()
            )
            if delivery is None:
                return False
            _run_subscriber(delivery)
            Delivery.objects.filter(pk=delivery.pk).update(
                status=DeliveryStatus.HANDLED, handled_at=timezone.now(), attempts=delivery.attempts + 1
            )
    except Exception as error:  # noqa: BLE001 - whatever a subscriber raises is kept with its delivery and retried
        _record_failure(delivery_id, error)
        return False
    return True


def _run_subscriber(delivery: Delivery) -> None:
    row = delivery.fact
    fact = fact_class(row.type).from_payload(row.payload, fact_id=row.pk, occurred_at=row.occurred_at)
    with request_context(row.request_id), transaction.atomic():
        subscription(delivery.subscriber).handler(fact)


def _record_failure(delivery_id: UUID, error: Exception) -> None:
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
        if delivery.status != DeliveryStatus.PENDING:
            return
        delivery.attempts += 1
        delivery.last_error = "".join(traceback.format_exception(error))[-4000:]
        if delivery.attempts > len(RETRY_AFTER):
            delivery.status = DeliveryStatus.PARKED
        else:
            delivery.next_attempt_at = timezone.now() + RETRY_AFTER[delivery.attempts - 1]
        delivery.save()
    log.error(
        "a subscriber failed", subscriber=delivery.subscriber, attempts=delivery.attempts, exc_info=error
    )


def sweep_deliveries() -> int:
    """Send again the messages of deliveries that are due, and return how many: retries, and what was lost."""
    now = timezone.now()
    with transaction.atomic():
        due = list(
            Delivery.objects.select_for_update(skip_locked=True)
            .filter(status=DeliveryStatus.PENDING, next_attempt_at__lte=now)
            .order_by("next_attempt_at")[:SWEEP_LIMIT]
        )
        for delivery in due:
            try:
                queue = subscription(delivery.subscriber).queue
            except LookupError:
                queue = "events"
            enqueue("events.deliver", queue=queue, delivery_id=str(delivery.pk))
        # Pushed ahead, so that the next sweep does not send it once more while it waits in its queue.
        Delivery.objects.filter(pk__in=[d.pk for d in due]).update(
            next_attempt_at=now + timedelta(seconds=60)
        )
    return len(due)


def redrive(deliveries: QuerySet[Delivery] | None = None) -> int:
    """Give the parked ones among these deliveries (all, where none are named) their attempts back; return how many."""
    among = Delivery.objects.all() if deliveries is None else deliveries
    # The error stays where it is until the next attempt: whoever looks wants to know what was mended.
    return among.filter(status=DeliveryStatus.PARKED).update(
        status=DeliveryStatus.PENDING, attempts=0, next_attempt_at=timezone.now()
    )
