"""Doing the work of relay, worker and beat in the test's own process, until nothing is left to do."""

from __future__ import annotations

from django.db.models import Q
from django.db.models.functions import Now

from smartcourse.events.deliveries import handle_delivery
from smartcourse.events.models import Delivery, DeliveryStatus
from smartcourse.events.relay import relay_batch
from smartcourse.workflows.models import Run, RunStatus
from smartcourse.workflows.services import advance

ROUNDS = 50


class DidNotSettle(AssertionError):
    """Facts and processes kept making more of themselves, or a subscriber keeps failing."""


def settle() -> None:
    """Relay facts, handle deliveries and drive processes until all of it is quiet.

    Raises:
        DidNotSettle: a subscriber failed (its error is told), or it never ends.
    """
    # What waits for a signal or a time is quiet until then.
    sleeping = Q(status=RunStatus.WAITING, next_attempt_at__gt=Now())
    for _ in range(ROUNDS):
        relayed = relay_batch()
        runs = list(Run.objects.live().filter(attempts=0).exclude(sleeping).values_list("pk", flat=True))
        owed = list(
            Delivery.objects.pending()
            .filter(attempts=0, next_attempt_at__isnull=False)
            .values_list("pk", flat=True)
        )
        if not relayed and not runs and not owed:
            failed = Delivery.objects.exclude(last_error="").exclude(status=DeliveryStatus.HANDLED).first()
            if failed:
                raise DidNotSettle(f"{failed.subscriber} failed:\n{failed.last_error}")
            return
        for run_id in runs:
            advance(run_id)
        for delivery_id in owed:
            handle_delivery(delivery_id)
    raise DidNotSettle("still not quiet")
