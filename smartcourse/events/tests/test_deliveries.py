"""Every subscriber handles every fact once; what fails is retried, parked, redriven."""

from __future__ import annotations

import io
import json
import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import UserFactory
from smartcourse.db.identifiers import uuid7
from smartcourse.events.deliveries import handle_delivery
from smartcourse.events.models import Delivery, DeliveryStatus
from smartcourse.events.outbox import publish
from smartcourse.events.redelivery import redrive, sweep_deliveries
from smartcourse.events.relay import relay_batch
from smartcourse.events.tests.conftest import LampLit, Watcher
from smartcourse.observability.context import current_request_id, request_context


def one_delivery() -> Delivery:
    with transaction.atomic():
        publish(LampLit(lamp_id=uuid7()))
    relay_batch()
    return Delivery.objects.get()


@pytest.mark.django_db
class TestHandleDelivery:
    def test_runs_the_subscriber_once_however_often_the_message_comes(self, watcher: Watcher) -> None:
        delivery = one_delivery()
        assert [handle_delivery(delivery.pk) for _ in range(3)] == [True, False, False]
        assert len(watcher.seen) == 1

    def test_undoes_the_effect_of_a_subscriber_that_fails(
        self, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivery = one_delivery()

        def half(self: Watcher, fact: LampLit) -> None:
            UserFactory(email="half@example.org")
            raise RuntimeError("halfway")

        monkeypatch.setattr(Watcher, "__call__", half)
        assert handle_delivery(delivery.pk) is False
        assert not User.objects.filter(email="half@example.org").exists()
        delivery.refresh_from_db()
        assert (delivery.attempts, delivery.status) == (1, DeliveryStatus.PENDING)
        assert "halfway" in delivery.last_error

    def test_parks_a_poison_fact_after_its_retries_and_others_go_on(self, watcher: Watcher) -> None:
        poison = one_delivery()
        watcher.failing = RuntimeError("poison")
        for _ in range(len(settings.DELIVERY_RETRY_SECONDS) + 1):
            handle_delivery(poison.pk)
        poison.refresh_from_db()
        assert poison.status == DeliveryStatus.PARKED
        watcher.failing = None
        publish(LampLit(lamp_id=uuid7()))
        relay_batch()
        assert handle_delivery(Delivery.objects.pending().get(subscriber="lamps.watcher").pk)

    def test_works_again_when_redriven(self, watcher: Watcher) -> None:
        delivery = one_delivery()
        Delivery.objects.update(status=DeliveryStatus.PARKED, attempts=4, last_error="poison")
        assert handle_delivery(delivery.pk) is False
        assert redrive() == 1
        assert handle_delivery(delivery.pk) is True

    def test_carries_the_id_of_the_request_that_wrote_the_fact(
        self, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with request_context("a-request-of-mine"):
            delivery = one_delivery()
        seen: list[str] = []
        monkeypatch.setattr(Watcher, "__call__", lambda self, fact: seen.append(current_request_id()))
        handle_delivery(delivery.pk)
        assert seen == ["a-request-of-mine"]


@pytest.mark.django_db(transaction=True)
class TestTwoWorkers:
    def test_one_of_them_runs_the_subscriber(self, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
        delivery = one_delivery()
        inside, go_on, runs = threading.Event(), threading.Event(), []

        def slow(self: Watcher, fact: LampLit) -> None:
            runs.append(fact)
            inside.set()
            go_on.wait(10)

        def work() -> None:
            handle_delivery(delivery.pk)
            connection.close()

        monkeypatch.setattr(Watcher, "__call__", slow)
        first = threading.Thread(target=work)
        first.start()
        assert inside.wait(10)
        assert handle_delivery(delivery.pk) is False, "the row is locked, so the second message does nothing"
        go_on.set()
        first.join(10)
        assert len(runs) == 1


@pytest.mark.django_db
class TestSweep:
    def test_leaves_what_was_just_dispatched(self, watcher: Watcher) -> None:
        one_delivery()
        assert sweep_deliveries() == 0

    def test_finds_what_a_lost_message_left_and_only_once_at_a_time(self, watcher: Watcher) -> None:
        one_delivery()
        Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
        assert sweep_deliveries() == 1
        assert sweep_deliveries() == 0


@pytest.mark.django_db
class TestRedriveCommand:
    def test_says_what_it_would_do_and_changes_nothing(self, watcher: Watcher) -> None:
        one_delivery()
        Delivery.objects.update(status=DeliveryStatus.PARKED)
        out = io.StringIO()
        call_command("redrive", "--dry-run", stdout=out)
        assert "1 parked deliveries would" in out.getvalue()
        assert Delivery.objects.get().status == DeliveryStatus.PARKED

    def test_redrives_those_of_one_subscriber(self, watcher: Watcher) -> None:
        one_delivery()
        Delivery.objects.update(status=DeliveryStatus.PARKED)
        out = io.StringIO()
        with pytest.raises(CommandError, match=r"Nobody subscribes as 'somebody.else'"):
            call_command("redrive", "--subscriber", "somebody.else", stdout=out)
        call_command("redrive", "--fact", "candle.*", "--json", stdout=out)
        assert json.loads(out.getvalue()) == {"redriven": 0, "parked": 0}
        call_command("redrive", "--subscriber", "lamps.watcher", stdout=out)
        assert Delivery.objects.get().status == DeliveryStatus.PENDING
