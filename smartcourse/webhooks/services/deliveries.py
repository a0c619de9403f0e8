"""What endpoints are owed: facts, test pings, redeliveries; and finding what was left lying."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from smartcourse.db.identifiers import uuid7
from smartcourse.errors import NotFound
from smartcourse.events.facts import Fact
from smartcourse.queues.dispatch import enqueue
from smartcourse.webhooks.models import PING, DeliveryStatus, Endpoint, WebhookDelivery
from smartcourse.webhooks.policies import who_may_hear
from smartcourse.webhooks.services.endpoints import EndpointIsDisabled, locked_endpoint
from smartcourse.webhooks.signing import body_of

SWEEP_LIMIT = 500
PRUNE_BATCH = 1000


class DeliveryNotFound(NotFound):
    message = "There is no such delivery."


def wake(endpoint_id: UUID) -> None:
    """Have a worker send what the endpoint is owed."""
    enqueue("webhooks.send", queue="webhooks", endpoint_id=str(endpoint_id))


@transaction.atomic
def fan_out(*, fact: Fact) -> int:
    """Owe the fact to every endpoint that chose it and may hear it, once, and return to how many."""
    wanting = Endpoint.objects.enabled().filter(fact_types__contains=[fact.type])
    owners = set(wanting.values_list("owner_id", flat=True))
    if not owners:
        return 0
    may_hear = Q(owner=None)
    # Who may hear it is asked where there is a person who wants to.
    if owners != {None}:
        may_hear |= Q(owner__in=who_may_hear(fact))
    body = body_of(type=fact.type, at=fact.occurred_at, data=fact.as_payload())
    told = list(wanting.filter(may_hear).values_list("pk", flat=True))
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                endpoint_id=endpoint_id,
                fact_id=fact.fact_id,
                fact_type=fact.type,
                body=body,
                next_attempt_at=timezone.now(),
            )
            for endpoint_id in told
        ],
        ignore_conflicts=True,
        batch_size=PRUNE_BATCH,
    )
    for endpoint_id in told:
        wake(endpoint_id)
    return len(told)


@transaction.atomic
def ping(*, endpoint_id: UUID, at: datetime) -> WebhookDelivery:
    """Owe the endpoint a test message, sent once and at once, also where it is being left alone.

    Raises:
        EndpointNotFound: there is none.
        EndpointIsDisabled: it is.
    """
    endpoint = locked_endpoint(endpoint_id)
    if not endpoint.is_enabled:
        raise EndpointIsDisabled
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint,
        fact_id=uuid7(),
        fact_type=PING,
        body=body_of(type=PING, at=at, data={"endpoint_id": str(endpoint.pk)}),
        next_attempt_at=at,
    )
    wake(endpoint.pk)
    return delivery


@transaction.atomic
def redeliver(*, delivery_id: UUID, at: datetime) -> WebhookDelivery:
    """Owe the delivery's fact to its endpoint again, by the same body; one that is pending is sent now instead.

    Raises:
        DeliveryNotFound: there is none.
        EndpointIsDisabled: the endpoint is.
    """
    given = WebhookDelivery.objects.filter(pk=delivery_id).first()
    if given is None:
        raise DeliveryNotFound
    endpoint = locked_endpoint(given.endpoint_id)
    if not endpoint.is_enabled:
        raise EndpointIsDisabled
    of_fact = WebhookDelivery.objects.filter(endpoint=endpoint, fact_id=given.fact_id)
    last = of_fact.order_by("-redelivery")[0]
    if last.status == DeliveryStatus.PENDING:
        last.hurry(at=at)
    else:
        last = WebhookDelivery.objects.create(
            endpoint=endpoint,
            fact_id=last.fact_id,
            fact_type=last.fact_type,
            redelivery=last.redelivery + 1,
            body=last.body,
            next_attempt_at=at,
        )
    wake(endpoint.pk)
    return last


def sweep() -> int:
    """Wake the endpoints that are owed something, one message each however much it is; return how many."""
    owed = WebhookDelivery.objects.due().filter(endpoint=OuterRef("pk"))
    woken_before = Now() - timedelta(seconds=settings.WEBHOOK_REDISPATCH_SECONDS)
    with transaction.atomic():
        found = list(
            Endpoint.objects.enabled()
            .rested()
            .filter(Q(woken_at=None) | Q(woken_at__lt=woken_before))
            .filter(Exists(owed))
            .order_by(F("woken_at").asc(nulls_first=True))
            .values_list("pk", flat=True)[:SWEEP_LIMIT]
        )
        Endpoint.objects.filter(pk__in=found).update(woken_at=Now())
        for endpoint_id in found:
            wake(endpoint_id)
    return len(found)


def prune(*, at: datetime) -> int:
    """Delete deliveries, with their attempts, that are older than they are kept; return how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=at - timedelta(days=settings.WEBHOOK_KEEP_DAYS))
    count = 0
    while batch := list(old.order_by("created_at").values_list("pk", flat=True)[:PRUNE_BATCH]):
        WebhookDelivery.objects.filter(pk__in=batch).delete()
        count += len(batch)
    return count
