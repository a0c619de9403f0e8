"""What becomes of deliveries that fail, kill their workers, or come in heaps; and who is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone

from smartcourse.db.identifiers import uuid7
from smartcourse.events.deliveries import handle_deliveries, handle_delivery
from smartcourse.events.models import Delivery, DeliveryStatus, OutboxFact
from smartcourse.events.outbox import publish
from smartcourse.events.redelivery import sweep_deliveries
from smartcourse.events.relay import relay_batch
from smartcourse.events.tests.conftest import LampLit, Watcher

pytestmark = pytest.mark.django_db


def deliveries(count: int) -> list[Delivery]:
    with transaction.atomic():
        for _ in range(count):
            publish(LampLit(lamp_id=uuid7()))
    relay_batch()
    return list(Delivery.objects.filter(subscriber="lamps.watcher").order_by("position"))


class TestRetries:
    def test_wait_longer_each_time_with_some_jitter(self, watcher: Watcher, settings: Any) -> None:
        settings.DELIVERY_RETRY_SECONDS = (60, 300)
        watcher.failing = RuntimeError("not yet")
        [delivery] = deliveries(1)
        for seconds in settings.DELIVERY_RETRY_SECONDS:
            before = timezone.now()
            handle_delivery(delivery.pk)
            delivery.refresh_from_db()
            assert delivery.next_attempt_at is not None
            waited = (delivery.next_attempt_at - before).total_seconds()
            assert seconds <= waited <= seconds * 1.1 + 1


class TestBatch:
    def test_goes_on_after_one_that_fails(self, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
        owed = deliveries(5)
        poison = owed[2].fact.aggregate_id

        def handle(self: Watcher, fact: LampLit) -> None:
            if fact.lamp_id == poison:
                raise RuntimeError("poison")

        monkeypatch.setattr(Watcher, "__call__", handle)
        assert handle_deliveries([delivery.pk for delivery in owed]) == 4
        assert Delivery.objects.pending().get().pk == owed[2].pk

    def test_ends_when_its_time_is_up_and_leaves_the_rest_owed(self, watcher: Watcher) -> None:
        owed = deliveries(3)
        watcher.failing = SoftTimeLimitExceeded()
        with pytest.raises(SoftTimeLimitExceeded):
            handle_deliveries([delivery.pk for delivery in owed])
        assert len(watcher.seen) == 1
        assert Delivery.objects.pending().count() == 3

    def test_travels_in_few_messages(
        self, watcher: Watcher, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[dict[str, Any]] = []
        monkeypatch.setattr("smartcourse.events.deliveries.enqueue", lambda task, **told: sent.append(told))
        settings.DELIVERY_BATCH = 4
        owed = deliveries(10)
        assert [len(message["delivery_ids"]) for message in sent] == [4, 4, 2]
        assert [i for message in sent for i in message["delivery_ids"]] == [str(d.pk) for d in owed]
        assert {message["queue"] for message in sent} == {"events"}


class TestDeliveryThatKillsItsWorker:
    def test_is_told_from_one_that_stood_in_a_long_queue(self, watcher: Watcher) -> None:
        [delivery] = deliveries(1)
        for _ in range(8):
            Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
            assert sweep_deliveries() == 1
        assert handle_delivery(delivery.pk)
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts, delivery.last_error) == (DeliveryStatus.HANDLED, 1, "")

    def test_is_counted_ahead_and_parked_in_the_end(self, watcher: Watcher, settings: Any) -> None:
        settings.DELIVERY_RETRY_SECONDS = (1, 1)
        [delivery] = deliveries(1)

        class Killed(BaseException):
            """As a process that ends: nothing after it runs."""

        watcher.failing = Killed()  # type: ignore[assignment]  # no exception that anybody would catch
        for _ in range(40):
            Delivery.objects.pending().update(next_attempt_at=timezone.now() - timedelta(seconds=1))
            sweep_deliveries()
            try:
                handle_delivery(delivery.pk)
            except Killed:
                continue
        delivery.refresh_from_db()
        assert delivery.status == DeliveryStatus.PARKED
        assert "was not heard of again" in delivery.last_error
        assert len(watcher.seen) < 10


class TestFactThatCannotBeRead:
    def test_does_not_keep_others_and_is_parked_with_the_cause(self, watcher: Watcher, settings: Any) -> None:
        settings.DELIVERY_RETRY_SECONDS = ()
        with transaction.atomic():
            publish(LampLit(lamp_id=uuid7()))
            publish(LampLit(lamp_id=uuid7()))
        broken = OutboxFact.objects.earliest("position")
        OutboxFact.objects.filter(pk=broken.pk).update(payload={"lamp_id": "no id"})
        assert relay_batch() == 2
        handle_deliveries(Delivery.objects.values_list("pk", flat=True))
        assert len(watcher.seen) == 1
        parked = Delivery.objects.parked().get()
        assert parked.fact_id == broken.pk
        assert "badly formed hexadecimal UUID" in parked.last_error


class TestAlert:
    def test_is_raised_once_an_hour_for_each_subscriber(self, watcher: Watcher, settings: Any) -> None:
        settings.DELIVERY_RETRY_SECONDS = ()
        watcher.failing = RuntimeError("the lamp is broken")
        handle_deliveries([delivery.pk for delivery in deliveries(3)])
        assert Delivery.objects.parked().count() == 3
        told = OutboxFact.objects.get(type="delivery.parked")
        assert told.payload["subscriber"] == "lamps.watcher"
        assert told.payload["error"] == "RuntimeError: the lamp is broken"
        Delivery.objects.parked().update(parked_at=timezone.now() - timedelta(hours=2))
        handle_deliveries([delivery.pk for delivery in deliveries(1)])
        assert OutboxFact.objects.filter(type="delivery.parked").count() == 2

    def test_that_cannot_be_delivered_raises_no_other(self, watcher: Watcher, settings: Any) -> None:
        settings.DELIVERY_RETRY_SECONDS = ()
        watcher.failing = RuntimeError("the lamp is broken")
        handle_deliveries([delivery.pk for delivery in deliveries(1)])
        relay_batch()
        alert = Delivery.objects.get(fact__type="delivery.parked")
        Delivery.objects.filter(pk=alert.pk).update(subscriber="gone.away")
        handle_delivery(alert.pk)
        alert.refresh_from_db()
        assert alert.status == DeliveryStatus.PARKED
        assert OutboxFact.objects.filter(type="delivery.parked").count() == 1
