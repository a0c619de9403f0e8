"""What beat has done: endpoints woken that were forgotten, left alone that fail; old deliveries deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from smartcourse.testing.receivers import Receiver, answering
from smartcourse.webhooks import services
from smartcourse.webhooks.models import DeliveryAttempt, Endpoint, WebhookDelivery
from smartcourse.webhooks.tests.factories import EndpointFactory, WebhookDeliveryFactory

pytestmark = pytest.mark.django_db
Sent = Callable[[], int]


@pytest.fixture
def woken(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> Callable[[], list[str]]:
    """Return a sweep, which answers with the endpoints that it sent messages about."""

    def sweep() -> list[str]:
        messages: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(
                current_app, "send_task", lambda name, kwargs, **_: messages.append(kwargs["endpoint_id"])
            )
            with django_capture_on_commit_callbacks(execute=True):
                count = services.sweep()
        assert count == len(messages)
        return messages

    return sweep


class TestSweep:
    def test_wakes_each_endpoint_once_however_much_it_is_owed(self, woken: Any) -> None:
        much, little = EndpointFactory(), EndpointFactory()
        for endpoint in (much, much, much, little):
            WebhookDeliveryFactory(endpoint=endpoint)
        assert sorted(woken()) == sorted([str(much.pk), str(little.pk)])
        assert woken() == [], "their messages are on the way"

    def test_wakes_again_when_the_message_was_lost(self, woken: Any) -> None:
        endpoint = WebhookDeliveryFactory().endpoint
        assert woken() == [str(endpoint.pk)]
        Endpoint.objects.update(woken_at=timezone.now() - timedelta(seconds=16))
        assert woken() == [str(endpoint.pk)]

    def test_finds_what_a_dead_worker_held(self, woken: Any) -> None:
        delivery = WebhookDeliveryFactory()
        delivery.lease(seconds=30)
        assert woken() == []
        delivery.lease(seconds=-1)
        assert woken() == [str(delivery.endpoint_id)]

    def test_lets_rest_what_has_its_time(self, woken: Any) -> None:
        later = timezone.now() + timedelta(minutes=1)
        WebhookDeliveryFactory(next_attempt_at=later)
        WebhookDeliveryFactory(sent=True)
        WebhookDeliveryFactory(endpoint__disabled=True)
        WebhookDeliveryFactory(endpoint__rests_until=later)
        WebhookDeliveryFactory(endpoint__owner__is_active=False)
        assert woken() == []

    def test_asks_as_often_for_many_as_for_one(self, django_assert_max_num_queries: Any) -> None:
        for _ in range(5):
            WebhookDeliveryFactory()
        with django_assert_max_num_queries(4):
            assert services.sweep() == 5


class TestRest:
    def test_comes_after_three_failures_and_ends_with_one_probe(
        self, endpoint: Any, receiver: Receiver, sent: Sent
    ) -> None:
        for _ in range(6):
            WebhookDeliveryFactory(endpoint=endpoint)
        receiver.behaviour = answering(500)
        assert sent() == 3, "the other three are not even tried"
        endpoint.refresh_from_db()
        assert 55 < (endpoint.rests_until - timezone.now()).total_seconds() <= 60
        assert sent() == 0
        Endpoint.objects.update(rests_until=timezone.now())
        assert sent() == 1, "one probe"
        Endpoint.objects.update(rests_until=timezone.now())
        receiver.behaviour = answering(204)
        assert sent() == 2, "well again, so it goes on; the four that failed wait for their time"
        endpoint.refresh_from_db()
        assert (endpoint.failures_in_a_row, endpoint.failing_since, endpoint.rests_until) == (0, None, None)

    def test_lets_one_at_a_time_probe(self, endpoint: Any, sent: Sent) -> None:
        first, _ = WebhookDeliveryFactory(endpoint=endpoint), WebhookDeliveryFactory(endpoint=endpoint)
        Endpoint.objects.update(failures_in_a_row=3)
        first.lease(seconds=30)
        assert sent() == 0


class TestTurn:
    def test_ends_so_that_others_come_next(self, endpoint: Any, receiver: Receiver) -> None:
        for _ in range(25):
            WebhookDeliveryFactory(endpoint=endpoint)
        assert [services.send_due(endpoint_id=endpoint.pk) for _ in range(3)] == [20, 5, 0]


class TestPrune:
    def test_deletes_what_is_older_than_thirty_days(self) -> None:
        old, young = WebhookDeliveryFactory(), WebhookDeliveryFactory()
        DeliveryAttempt.objects.create(delivery=old, number=1, at=timezone.now(), duration_ms=1)
        WebhookDelivery.objects.filter(pk=old.pk).update(
            created_at=timezone.now() - timedelta(days=30, minutes=1)
        )
        assert [services.prune(at=timezone.now()) for _ in range(2)] == [1, 0]
        assert [row.pk for row in WebhookDelivery.objects.all()] == [young.pk]
        assert not DeliveryAttempt.objects.exists()
