"""Facts are written with their change, and relayed in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction

from smartcourse.db.identifiers import uuid7
from smartcourse.events.models import Delivery, OutboxFact
from smartcourse.events.outbox import PublishedOutsideTransaction, publish
from smartcourse.events.relay import relay_batch
from smartcourse.events.signals import signal_of
from smartcourse.events.tests.conftest import LampLit, Watcher


class TestPublish:
    @pytest.mark.django_db(transaction=True)
    def test_refuses_outside_of_a_transaction(self) -> None:
        with pytest.raises(PublishedOutsideTransaction):
            publish(LampLit(lamp_id=uuid7()))

    @pytest.mark.django_db(transaction=True)
    def test_leaves_nothing_of_a_change_that_was_rolled_back(self) -> None:
        with transaction.atomic():
            publish(LampLit(lamp_id=uuid7()))
            transaction.set_rollback(True)
        assert not OutboxFact.objects.exists()

    @pytest.mark.django_db
    def test_numbers_the_facts_of_each_aggregate(self) -> None:
        lamp, other = uuid7(), uuid7()
        for identity in (lamp, other, lamp, lamp):
            publish(LampLit(lamp_id=identity))
        numbers = (
            OutboxFact.objects.filter(aggregate_id=lamp)
            .order_by("position")
            .values_list("sequence", flat=True)
        )
        assert list(numbers) == [1, 2, 3]

    @pytest.mark.django_db
    def test_gives_back_the_same_fact(self) -> None:
        fact = LampLit(lamp_id=uuid7(), colour="grün", occurred_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
        publish(fact)
        row = OutboxFact.objects.get()
        assert LampLit.from_payload(row.payload, fact_id=row.pk, occurred_at=row.occurred_at) == fact


class TestPayload:
    def test_passes_over_the_fields_of_a_newer_version(self) -> None:
        payload = {"lamp_id": str(UUID(int=7)), "colour": "red", "wattage": 40}
        fact = LampLit.from_payload(payload, fact_id=UUID(int=1), occurred_at=datetime.now(UTC))
        assert (fact.lamp_id, fact.colour) == (UUID(int=7), "red")

    def test_is_plain_json(self) -> None:
        assert LampLit(lamp_id=UUID(int=7)).as_payload() == {"lamp_id": str(UUID(int=7)), "colour": "white"}


@pytest.mark.django_db
class TestRelay:
    def test_owes_each_fact_to_each_subscriber_once(self, watcher: Watcher) -> None:
        publish(LampLit(lamp_id=uuid7()))
        assert relay_batch() == 1
        assert relay_batch() == 0
        assert Delivery.objects.get().subscriber == "lamps.watcher"

    def test_passes_over_a_fact_that_nobody_knows_any_more(self) -> None:
        publish(LampLit(lamp_id=uuid7()))
        assert relay_batch() == 1
        assert not Delivery.objects.exists()

    def test_sends_the_signal_of_the_fact(self, watcher: Watcher) -> None:
        heard: list[LampLit] = []

        def listen(fact: LampLit, **_: object) -> None:
            heard.append(fact)

        signal_of(LampLit).connect(listen)
        try:
            fact = LampLit(lamp_id=uuid7())
            publish(fact)
            relay_batch()
        finally:
            signal_of(LampLit).disconnect(listen)
        assert heard == [fact]

    def test_goes_on_when_a_signal_receiver_fails(self, watcher: Watcher) -> None:
        def fail(**_: object) -> None:
            raise RuntimeError("a bulb broke")

        signal_of(LampLit).connect(fail)
        try:
            publish(LampLit(lamp_id=uuid7()))
            assert relay_batch() == 1
        finally:
            signal_of(LampLit).disconnect(fail)
        assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
class TestSlowTransaction:
    """F12: a slow transaction commits after faster ones, and nothing is passed over."""

    def test_its_fact_is_relayed_although_later_positions_went_first(self, watcher: Watcher) -> None:
        written, go_on = threading.Event(), threading.Event()
        slow, fast = uuid7(), uuid7()

        def write_slowly() -> None:
            with transaction.atomic():
                publish(LampLit(lamp_id=slow))
                written.set()
                go_on.wait(10)
            connection.close()

        thread = threading.Thread(target=write_slowly)
        thread.start()
        assert written.wait(10)
        with transaction.atomic():
            publish(LampLit(lamp_id=fast))
        assert relay_batch() == 1
        go_on.set()
        thread.join(10)
        assert relay_batch() == 1
        assert set(Delivery.objects.values_list("fact__aggregate_id", flat=True)) == {slow, fast}

    def test_facts_of_one_aggregate_wait_for_each_other(self, watcher: Watcher) -> None:
        lamp, order = uuid7(), []

        def light(colour: str, *, after: Callable[[], object]) -> threading.Thread:
            def work() -> None:
                with transaction.atomic():
                    publish(LampLit(lamp_id=lamp, colour=colour))
                    order.append(colour)
                    after()
                connection.close()

            thread = threading.Thread(target=work)
            thread.start()
            return thread

        go_on = threading.Event()
        first = light("red", after=lambda: go_on.wait(10))
        while not order:
            first.join(0.01)
        second = light("green", after=lambda: None)
        second.join(0.3)
        assert order == ["red"], "the second waits for the counter's lock"
        go_on.set()
        first.join(10)
        second.join(10)
        rows = OutboxFact.objects.order_by("position").values_list("payload__colour", "sequence")
        assert list(rows) == [("red", 1), ("green", 2)]
