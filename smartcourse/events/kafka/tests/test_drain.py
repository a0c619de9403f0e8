"""What the sink is owed reaches Kafka: in order per aggregate, at least once, whatever happens on the way."""

from __future__ import annotations

import threading
import time

import pytest
from confluent_kafka import KafkaError
from structlog.testing import capture_logs

from smartcourse.embedded.processes import wait_until
from smartcourse.events.kafka.drain import Drain
from smartcourse.events.kafka.tests.conftest import (
    TOPIC,
    Reader,
    as_published,
    first_occurrences,
    full,
    many_courses,
    rename,
    rename_all,
)
from smartcourse.events.models import Delivery, DeliveryStatus, OutboxFact
from smartcourse.events.redelivery import redrive

pytestmark = pytest.mark.django_db


@pytest.fixture
def drain(cluster):
    drain = Drain()
    yield drain
    drain.close()


def statuses() -> list[str]:
    return list(Delivery.objects.order_by("position").values_list("status", flat=True))


class TestBatch:
    def test_keeps_the_order_of_each_aggregate_over_several_partitions(self, drain, reader: Reader) -> None:
        rename_all(many_courses(20) * 50)
        sent = [drain.batch(limit=300) for _ in range(5)]
        assert sent == [300, 300, 300, 100, 0]
        received = reader.count(1000)
        assert len(received) == 1000
        assert len({each.partition for each in received}) > 1
        assert first_occurrences(received) == as_published()
        assert {each.key for each in received if each.partition == 0}.isdisjoint(
            each.key for each in received if each.partition != 0
        ), "a key stays in its partition"

    def test_marks_what_kafka_has_confirmed_in_one_statement(self, drain, django_assert_num_queries) -> None:
        rename_all(many_courses(10) * 3)
        with django_assert_num_queries(2):
            assert drain.batch(limit=100) == 30
        assert set(statuses()) == {DeliveryStatus.HANDLED}
        assert Delivery.objects.filter(attempts=1, handled_at__isnull=False).count() == 30

    def test_leaves_what_other_subscribers_are_owed(self, drain) -> None:
        rename(many_courses(1)[0])
        Delivery.objects.update(subscriber="somebody.else")
        assert drain.batch(limit=100) == 0

    def test_sends_again_under_the_same_id_what_was_sent_and_not_marked(self, drain, reader: Reader) -> None:
        rename(many_courses(1)[0], times=3)
        drain.batch(limit=100)
        Delivery.objects.update(status=DeliveryStatus.PENDING)
        drain.batch(limit=2)
        received = reader.count(5)
        ids = [each.event["id"] for each in received]
        assert ids[3:] == ids[:2]
        assert first_occurrences(received) == as_published()


@pytest.mark.full
class TestOutage:
    def test_waits_for_the_brokers_and_loses_nothing(self, cluster, drain, reader: Reader) -> None:
        rename_all(many_courses(5) * 10)
        drain.batch(limit=20)
        cluster.go_down()
        with capture_logs() as logs:
            # It is back once its absence was noticed, however long that took.
            back = threading.Thread(
                target=lambda: wait_until(lambda: bool(logs), timeout=30) and cluster.come_back()
            )
            back.start()
            assert drain.batch(limit=100) == 30
            back.join()
        assert first_occurrences(reader.facts(50)) == as_published()
        assert [each["event"] for each in logs] == [
            "Kafka does not take facts; they wait",
            "Kafka takes facts again",
        ]

    @full
    def test_goes_on_later_with_what_was_not_confirmed_in_time_and_counts_no_attempt(
        self, cluster, settings, reader: Reader
    ) -> None:
        settings.KAFKA_SEND_SECONDS = 1
        drain = Drain()
        rename_all(many_courses(2) * 2)
        cluster.go_down()
        with capture_logs() as logs:
            assert [drain.batch(limit=100) for _ in range(2)] == [0, 0]
        assert set(Delivery.objects.values_list("status", "attempts")) == {(DeliveryStatus.PENDING, 0)}
        assert len(logs) == 1, "it is said once"
        cluster.come_back()
        # The client takes up to a second to look again, which is as long as it waits for an answer here.
        assert sum(drain.batch(limit=100) for _ in range(3)) == 4
        assert first_occurrences(reader.facts(4)) == as_published()
        drain.close()

    def test_keeps_the_order_when_connections_break_under_way(self, cluster, drain, reader: Reader) -> None:
        rename_all(many_courses(4) * 25)
        cluster.refuse_next(KafkaError._TRANSPORT, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError._TRANSPORT)
        while drain.batch(limit=40):
            pass
        assert set(statuses()) == {DeliveryStatus.HANDLED}
        assert first_occurrences(reader.facts(100)) == as_published()

    def test_stops_when_it_is_told_to_give_up(self, cluster) -> None:
        drain = Drain(give_up=lambda: True)
        rename(many_courses(1)[0])
        cluster.go_down()
        assert drain.batch(limit=100) == 0
        assert statuses() == [DeliveryStatus.PENDING]
        drain.close()


class TestRefusal:
    def test_parks_a_fact_that_is_too_large_and_others_go_on(self, drain, reader: Reader) -> None:
        poisoned, sound = many_courses(2)
        rename(poisoned)
        [giant] = rename(poisoned, title="x" * 2_000_000)
        rename(poisoned, times=2)
        rename(sound, times=3)
        assert [drain.batch(limit=100) for _ in range(4)] == [4, 0, 0, 0]
        giant.refresh_from_db()
        assert (giant.status, giant.attempts) == (DeliveryStatus.PARKED, 3)
        assert "MSG_SIZE_TOO_LARGE" in giant.last_error
        assert [each.key for each in reader.count(4)].count(str(sound)) == 3
        behind = Delivery.objects.filter(position__gt=giant.position, fact__aggregate_id=poisoned)
        assert set(behind.values_list("status", flat=True)) == {DeliveryStatus.PENDING}

    def test_sends_what_waited_behind_it_once_it_is_redriven(self, drain, reader: Reader) -> None:
        course = many_courses(1)[0]
        [giant] = rename(course, title="x" * 2_000_000)
        rename(course, times=2)
        for _ in range(3):
            drain.batch(limit=100)
        row = OutboxFact.objects.get(pk=giant.fact_id)
        row.payload["title"] = "Short"
        row.save()
        redrive()
        assert drain.batch(limit=100) == 3
        assert first_occurrences(reader.count(3)) == as_published()

    def test_does_not_hold_against_a_fact_what_its_neighbours_in_a_set_did(
        self, cluster, drain, reader: Reader
    ) -> None:
        """The broker refuses a set of messages as a whole; each is then sent by itself."""
        rename_all(many_courses(30))
        cluster.refuse_next(KafkaError.MSG_SIZE_TOO_LARGE)
        while drain.batch(limit=100):
            pass
        assert set(statuses()) == {DeliveryStatus.HANDLED}
        assert len(reader.count(30)) == 30

    def test_never_lets_a_later_fact_overtake_a_refused_one(self, cluster, drain, reader: Reader) -> None:
        rename_all(many_courses(3) * 20)
        for _ in range(2):
            cluster.refuse_next(KafkaError.INVALID_RECORD)
            drain.batch(limit=60)
        while drain.batch(limit=60):
            pass
        assert first_occurrences(reader.facts(60)) == as_published()

    @full
    @pytest.mark.parametrize("error", ["UNKNOWN_TOPIC_OR_PART", "TOPIC_AUTHORIZATION_FAILED"])
    def test_parks_what_the_cluster_has_no_topic_for_until_it_is_redriven(
        self, cluster, settings, reader: Reader, error: str
    ) -> None:
        settings.KAFKA_SEND_SECONDS = 6
        cluster.disown_topic(TOPIC, error=getattr(KafkaError, error))
        drain = Drain()
        rename_all(many_courses(2) * 2)
        for _ in range(3):
            assert drain.batch(limit=100) == 0
        assert statuses() == [DeliveryStatus.PARKED] * 2 + [DeliveryStatus.PENDING] * 2
        cluster.disown_topic(TOPIC, error=KafkaError.NO_ERROR)
        settings.KAFKA_SINK_RETRY_SECONDS = (0.5,) * 10
        redrive()
        deadline = time.monotonic() + 20
        while DeliveryStatus.PENDING in statuses() and time.monotonic() < deadline:
            drain.batch(limit=100)
            time.sleep(0.05)
        assert first_occurrences(reader.facts(4)) == as_published()
        drain.close()

    def test_parks_a_fact_without_a_topic(self, drain) -> None:
        rename(many_courses(1)[0])
        OutboxFact.objects.update(type="lamp.lit")
        for _ in range(3):
            drain.batch(limit=100)
        delivery = Delivery.objects.get()
        assert (delivery.status, delivery.last_error) == (
            DeliveryStatus.PARKED,
            "facts of type 'lamp.lit' have no topic",
        )

    def test_leaves_a_refused_fact_alone_for_a_while(self, drain, settings) -> None:
        settings.KAFKA_SINK_RETRY_SECONDS = (60.0,)
        course = many_courses(1)[0]
        rename(course, title="x" * 2_000_000)
        rename(course)
        assert [drain.batch(limit=100) for _ in range(3)] == [0, 0, 0]
        assert list(Delivery.objects.order_by("position").values_list("attempts", flat=True)) == [1, 0]
