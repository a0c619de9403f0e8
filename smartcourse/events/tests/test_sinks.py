"""Sinks: owed every fact while they are enabled, in order, and none of the sweeper's business."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from smartcourse.db.identifiers import uuid7
from smartcourse.events import subscriptions
from smartcourse.events.models import Delivery, DeliveryStatus
from smartcourse.events.outbox import publish
from smartcourse.events.redelivery import redrive, replay, sweep_deliveries
from smartcourse.events.relay import relay_batch
from smartcourse.events.subscriptions import EVERY_FACT, Subscription, register_sink
from smartcourse.events.tests.conftest import LampLit, Watcher

pytestmark = pytest.mark.django_db


@pytest.fixture
def drain(monkeypatch: pytest.MonkeyPatch, watcher: Watcher) -> list[bool]:
    """A sink of the test's own; the list says whether it is enabled."""
    monkeypatch.setattr(subscriptions, "_sinks", {})
    enabled = [True]
    register_sink("drain", enabled=lambda: enabled[0])
    return enabled


def light(count: int = 1) -> None:
    with transaction.atomic():
        for _ in range(count):
            publish(LampLit(lamp_id=uuid7()))
    relay_batch()


class TestSink:
    def test_is_owed_every_fact_in_order(self, drain: list[bool]) -> None:
        light(3)
        owed = Delivery.objects.pending().filter(subscriber="drain").order_by("position")
        assert [each.position for each in owed] == [each.fact.position for each in owed]
        assert owed.count() == 3

    def test_is_owed_nothing_while_it_is_not_enabled(self, drain: list[bool]) -> None:
        drain[0] = False
        light()
        assert not Delivery.objects.filter(subscriber="drain").exists()

    def test_is_left_alone_by_the_sweeper_also_when_redriven_or_replayed(self, drain: list[bool]) -> None:
        light()
        mine = Delivery.objects.filter(subscriber="drain")
        mine.update(status=DeliveryStatus.PARKED, parked_at=timezone.now())
        assert redrive(mine) == 1
        assert replay("drain") == 1
        assert mine.get().next_attempt_at is None
        Delivery.objects.exclude(subscriber="drain").delete()
        assert sweep_deliveries() == 0


class TestWanted:
    def test_is_asked_once_a_batch_and_costs_nothing_where_nobody_wants_it(
        self, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[int] = []

        def wanted() -> set[str]:
            asked.append(1)
            return {"lamp.lit"} if len(asked) > 1 else set()

        everything = Subscription("all.of.it", EVERY_FACT, "webhooks", watcher, wanted)
        monkeypatch.setitem(subscriptions._subscriptions, "all.of.it", everything)
        light(5)
        assert not Delivery.objects.filter(subscriber="all.of.it").exists()
        light(5)
        assert Delivery.objects.filter(subscriber="all.of.it").count() == 5
        assert len(asked) == 2
