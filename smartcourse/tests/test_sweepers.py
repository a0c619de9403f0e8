"""What all sweepers have in common: they send again what a lost message left lying, and ever more rarely."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F, Model
from django.db.models.functions import Now

from accounts.events import UserRegistered
from accounts.tests.factories import UserFactory
from notifications.models import Message, MessageType
from notifications.services import notify, sweep_messages
from smartcourse.db.clock import LONGEST
from smartcourse.db.identifiers import uuid7
from smartcourse.events.models import Delivery
from smartcourse.events.outbox import publish
from smartcourse.events.redelivery import sweep_deliveries
from smartcourse.events.relay import relay_batch
from smartcourse.workflows.models import Run
from smartcourse.workflows.services import start, sweep_runs

pytestmark = pytest.mark.django_db


def a_delivery() -> None:
    publish(UserRegistered(user_id=uuid7()))
    relay_batch()
    Delivery.objects.exclude(pk=Delivery.objects.earliest("pk").pk).delete()


def a_mail() -> None:
    person = UserFactory()
    notify(
        fact=UserRegistered(user_id=person.pk),
        type=MessageType.ACCOUNT_WELCOME,
        recipient_id=person.pk,
        context={},
    )


def a_run() -> None:
    start("enrollment", subject=uuid7(), key="one")


@pytest.mark.parametrize(
    ("make", "model", "sweep", "setting"),
    [
        pytest.param(a_delivery, Delivery, sweep_deliveries, "DELIVERY_REDISPATCH_SECONDS", id="deliveries"),
        pytest.param(a_mail, Message, sweep_messages, "MESSAGE_REDISPATCH_SECONDS", id="messages"),
        pytest.param(a_run, Run, sweep_runs, "WORKFLOW_REDISPATCH_SECONDS", id="runs"),
    ],
)
class TestSweepers:
    def test_wait_longer_each_time_for_what_may_only_stand_in_a_long_queue(
        self, make: Callable[[], None], model: type[Model], sweep: Callable[[], int], setting: str
    ) -> None:
        rows: Any = model._default_manager
        make()
        patience = timedelta(seconds=2 * getattr(settings, setting))
        waits = []
        for _ in range(LONGEST + 2):
            rows.update(next_attempt_at=Now())
            assert sweep() == 1
            [wait] = rows.values_list(F("next_attempt_at") - Now(), flat=True)
            waits.append(round(wait / patience))
        assert waits == [*range(1, LONGEST + 1), LONGEST, LONGEST]
