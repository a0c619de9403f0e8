"""The outbox stays small; and what left it can be heard again."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from smartcourse.db.identifiers import uuid7
from smartcourse.events.deliveries import handle_deliveries
from smartcourse.events.models import ArchivedFact, Delivery, DeliveryStatus, OutboxFact
from smartcourse.events.outbox import publish
from smartcourse.events.redelivery import deliver_again, replay
from smartcourse.events.relay import relay_batch
from smartcourse.events.retention import archive_facts, prune_archive
from smartcourse.events.tests.conftest import LampLit, Watcher

pytestmark = pytest.mark.django_db
SUBSCRIBER = "lamps.watcher"


def heard(count: int) -> list[OutboxFact]:
    """Publish facts and have them handled, eight days ago."""
    with transaction.atomic():
        facts = [LampLit(lamp_id=uuid7(), colour=f"colour {n}") for n in range(count)]
        for fact in facts:
            publish(fact)
    relay_batch()
    handle_deliveries(Delivery.objects.values_list("pk", flat=True))
    OutboxFact.objects.update(relayed_at=timezone.now() - timedelta(days=8))
    return list(OutboxFact.objects.order_by("position"))


class TestArchive:
    def test_takes_what_everybody_handled(self, watcher: Watcher) -> None:
        facts = heard(3)
        assert archive_facts() == 3
        assert not OutboxFact.objects.exists()
        assert not Delivery.objects.exists()
        kept = list(ArchivedFact.objects.order_by("position"))
        assert [(f.pk, f.sequence, f.payload) for f in kept] == [(f.pk, f.sequence, f.payload) for f in facts]

    def test_leaves_the_young_the_unrelayed_and_the_owed(self, watcher: Watcher) -> None:
        young, parked, pending = heard(3)
        OutboxFact.objects.filter(pk=young.pk).update(relayed_at=timezone.now())
        Delivery.objects.filter(fact=parked).update(status=DeliveryStatus.PARKED)
        Delivery.objects.filter(fact=pending).update(status=DeliveryStatus.PENDING)
        with transaction.atomic():
            publish(LampLit(lamp_id=uuid7()))
        assert archive_facts() == 0
        assert OutboxFact.objects.count() == 4

    def test_is_pruned_in_its_turn(self, watcher: Watcher) -> None:
        heard(2)
        archive_facts()
        old = ArchivedFact.objects.earliest("position")
        ArchivedFact.objects.filter(pk=old.pk).update(occurred_at=timezone.now() - timedelta(days=366))
        assert prune_archive() == 1
        assert ArchivedFact.objects.count() == 1

    def test_by_command_says_what_it_would_do(self, watcher: Watcher) -> None:
        heard(2)
        out = io.StringIO()
        call_command("archive_facts", "--dry-run", "--json", stdout=out)
        assert json.loads(out.getvalue()) == {"archived": 2, "deleted": 0, "dry_run": True}
        assert OutboxFact.objects.count() == 2
        call_command("archive_facts", "--days", "9", stdout=out)
        assert OutboxFact.objects.count() == 2
        call_command("archive_facts", stdout=out)
        assert "2 facts went to the archive" in out.getvalue()


class TestReplay:
    def test_lets_a_subscriber_hear_everything_from_the_beginning(self, watcher: Watcher) -> None:
        archived = heard(3)
        archive_facts()
        with transaction.atomic():
            publish(LampLit(lamp_id=uuid7(), colour="the last"))
        relay_batch()
        watcher.seen.clear()
        assert replay(SUBSCRIBER) == 4
        handle_deliveries(Delivery.objects.values_list("pk", flat=True))
        assert sorted(fact.colour for fact in watcher.seen) == [
            "colour 0",
            "colour 1",
            "colour 2",
            "the last",
        ]
        assert set(OutboxFact.objects.values_list("pk", flat=True)) >= {fact.pk for fact in archived}
        assert relay_batch() == 0, "what is restored is not relayed to everybody again"

    def test_also_one_that_did_not_exist_when_the_facts_happened(self, watcher: Watcher) -> None:
        heard(2)
        Delivery.objects.all().delete()
        assert replay(SUBSCRIBER) == 2
        assert Delivery.objects.pending().count() == 2

    def test_by_command(self, watcher: Watcher) -> None:
        heard(2)
        out = io.StringIO()
        call_command("replay", SUBSCRIBER, "--dry-run", stdout=out)
        assert "2 facts would be delivered" in out.getvalue()
        assert not Delivery.objects.pending().exists()
        call_command("replay", SUBSCRIBER, "--json", stdout=(told := io.StringIO()), stderr=io.StringIO())
        assert json.loads(told.getvalue()) == {"subscriber": SUBSCRIBER, "facts": 2, "dry_run": False}
        with pytest.raises(CommandError, match=r"nobody subscribes as 'no\.one'"):
            call_command("replay", "no.one")


class TestDeliverAgain:
    def test_reaches_handled_and_parked_ones(self, watcher: Watcher) -> None:
        one, other = heard(2)
        Delivery.objects.filter(fact=other).update(status=DeliveryStatus.PARKED)
        watcher.seen.clear()
        assert deliver_again(OutboxFact.objects.all()) == 2
        handle_deliveries(Delivery.objects.values_list("pk", flat=True))
        assert {fact.fact_id for fact in watcher.seen} == {one.pk, other.pk}
