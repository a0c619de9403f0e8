"""Facts and deliveries in the back office: seen by staff, driven again by them, closed to others."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from smartcourse.db.identifiers import uuid7
from smartcourse.events.deliveries import handle_deliveries
from smartcourse.events.models import Delivery, DeliveryStatus, OutboxFact
from smartcourse.events.outbox import publish
from smartcourse.events.relay import relay_batch
from smartcourse.events.retention import archive_facts
from smartcourse.events.tests.conftest import LampLit, Watcher

pytestmark = pytest.mark.django_db
LISTS = ("events_delivery", "events_outboxfact", "events_archivedfact")


def parked(count: int) -> None:
    with transaction.atomic():
        for _ in range(count):
            publish(LampLit(lamp_id=uuid7()))
    relay_batch()
    Delivery.objects.update(
        status=DeliveryStatus.PARKED, attempts=4, last_error="Traceback ...\nOSError: no oil is left"
    )


@pytest.fixture
def office(client: Any, staff: Any) -> Any:
    client.force_login(staff)
    return client


def act(office: Any, page: str, action: str, rows: Any) -> str:
    form = {"action": action, "_selected_action": [str(pk) for pk in rows.values_list("pk", flat=True)]}
    answer = office.post(reverse(f"admin:{page}_changelist"), form, follow=True)
    return str(answer.content.decode())


class TestPages:
    @pytest.mark.parametrize("page", LISTS)
    def test_ask_as_often_for_many_as_for_one(
        self, page: str, watcher: Watcher, office: Any, django_assert_max_num_queries: Any
    ) -> None:
        parked(12)
        with django_assert_max_num_queries(9):
            assert office.get(reverse(f"admin:{page}_changelist")).status_code == 200

    def test_show_the_cause_and_the_whole_of_it(self, watcher: Watcher, office: Any) -> None:
        parked(1)
        page = office.get(reverse("admin:events_delivery_changelist")).content.decode()
        assert "lamps: watcher" in page
        assert "OSError: no oil is left" in page
        one = reverse("admin:events_delivery_change", args=[Delivery.objects.get().pk])
        assert "Traceback ..." in office.get(one).content.decode()

    def test_show_what_waits_in_the_outbox(self, watcher: Watcher, office: Any) -> None:
        parked(1)
        publish(LampLit(lamp_id=uuid7()))
        waiting = office.get(reverse("admin:events_outboxfact_changelist") + "?relayed=no").content.decode()
        assert waiting.count('class="action-select"') == 1

    def test_show_the_archive(self, watcher: Watcher, office: Any) -> None:
        parked(1)
        Delivery.objects.update(status=DeliveryStatus.HANDLED)
        archive_facts(days=0)
        assert "lamp.lit" in office.get(reverse("admin:events_archivedfact_changelist")).content.decode()


class TestActions:
    def test_redrive_what_is_parked(self, watcher: Watcher, office: Any) -> None:
        parked(3)
        said = act(office, "events_delivery", "redrive_selected", Delivery.objects.all()[:2])
        assert "2 parked deliveries will be tried again." in said
        assert Delivery.objects.pending().count() == 2

    def test_deliver_facts_to_their_subscribers_again(self, watcher: Watcher, office: Any) -> None:
        parked(2)
        Delivery.objects.update(status=DeliveryStatus.HANDLED)
        said = act(office, "events_outboxfact", "deliver_selected_again", OutboxFact.objects.all())
        assert "2 deliveries will be made again." in said
        assert handle_deliveries(Delivery.objects.values_list("pk", flat=True)) == 2

    @pytest.mark.parametrize("who", ["student", "instructor"])
    def test_are_closed_to_others(
        self, who: str, watcher: Watcher, client: Any, request: pytest.FixtureRequest
    ) -> None:
        parked(1)
        client.force_login(request.getfixturevalue(who))
        act(client, "events_delivery", "redrive_selected", Delivery.objects.all())
        assert Delivery.objects.parked().count() == 1
