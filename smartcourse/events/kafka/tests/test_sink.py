"""The sink's process: killed, stopped, doubled, cut off from its database, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection

from smartcourse.events.kafka.sink import ACTIVE_SINK
from smartcourse.events.kafka.tests.conftest import (
    FULL,
    Reader,
    as_published,
    first_occurrences,
    full,
    many_courses,
    rename_all,
)
from smartcourse.events.models import Delivery, DeliveryStatus
from smartcourse.events.subscriptions import SINKS_CHANNEL

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.full]

KILLS, FACTS_EACH = (5, 250) if FULL else (1, 50)

Start = Callable[..., "subprocess.Popen[str]"]


def database_url() -> str:
    values = connection.settings_dict
    return (
        f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"
    )


@pytest.fixture
def start(cluster, tmp_path: Path) -> Iterator[Start]:
    """Start a `manage.py kafka_sink` of the test's own database and cluster."""
    running: list[subprocess.Popen[str]] = []

    def start(**environment: str) -> subprocess.Popen[str]:
        output = (tmp_path / f"sink-{len(running)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "manage.py", "kafka_sink"],
            cwd=django_settings.BASE_DIR,
            env=os.environ
            | {"DATABASE_URL": database_url(), "KAFKA_BOOTSTRAP_SERVERS": cluster.servers}
            | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output.close()
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait(10)


def wait_until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def sessions_with_the_lock() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [ACTIVE_SINK],
        )
        return [pid for (pid,) in cursor.fetchall()]


def all_handled() -> bool:
    return not Delivery.objects.exclude(status=DeliveryStatus.HANDLED).exists()


def wake() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {SINKS_CHANNEL}")


@contextmanager
def kept_from_its_mark(delivery: Delivery) -> Iterator[None]:
    """Let a sink send this delivery but not mark it, as if it were struck between the two."""
    with psycopg.connect(database_url()) as keeper:
        keeper.execute("SELECT 1 FROM events_delivery WHERE id = %s FOR UPDATE", [delivery.pk])
        yield
        keeper.rollback()


class TestKilledUnderWay:
    def test_loses_nothing_and_keeps_the_order_of_first_occurrences(
        self, cluster, reader: Reader, start: Start
    ) -> None:
        owed = rename_all(many_courses(20) * FACTS_EACH)
        cluster.answer_slowly(milliseconds=10)
        for progress in range(150, 150 + KILLS * 150, 150):
            with kept_from_its_mark(owed[progress]):
                sink = start(KAFKA_SINK_BATCH="100", KAFKA_SINK_INTERVAL_SECONDS="0.1")
                reader.facts(progress)
                sink.kill()
                sink.wait(10)
            assert not all_handled()
        cluster.answer_slowly(milliseconds=0)
        start()
        wait_until(all_handled)
        received = reader.facts(20 * FACTS_EACH)
        assert first_occurrences(received) == as_published()
        assert len({(each.event["id"], each.value) for each in received}) == 20 * FACTS_EACH, (
            "a duplicate is the same"
        )


class TestTwoSinks:
    @full
    def test_one_is_active_and_the_other_takes_its_place(self, cluster, reader: Reader, start: Start) -> None:
        first = start()
        wait_until(lambda: bool(sessions_with_the_lock()))
        second = start(KAFKA_SINK_INTERVAL_SECONDS="0.1")
        [session] = sessions_with_the_lock()
        rename_all(many_courses(3) * 5)
        wake()
        wait_until(all_handled)
        assert len(reader.count(15)) == 15
        assert sessions_with_the_lock() == [session]

        first.send_signal(signal.SIGTERM)
        assert first.wait(10) == 0
        rename_all(many_courses(3) * 5)
        wait_until(all_handled)
        received = reader.facts(30)
        assert len(received) == 30
        assert first_occurrences(received) == as_published()

        second.send_signal(signal.SIGTERM)
        assert second.wait(10) == 0

    @full
    def test_the_other_takes_over_from_one_that_is_stopped_and_not_dead(
        self, cluster, reader: Reader, start: Start
    ) -> None:
        quick = {"KAFKA_SINK_INTERVAL_SECONDS": "0.1", "KAFKA_SINK_TAKEOVER_SECONDS": "1"}
        first = start(**quick)
        wait_until(lambda: bool(sessions_with_the_lock()))
        start(**quick)
        [session] = sessions_with_the_lock()
        first.send_signal(signal.SIGSTOP)
        wait_until(lambda: sessions_with_the_lock() not in ([], [session]))
        rename_all(many_courses(3) * 5)
        wait_until(all_handled)
        first.send_signal(signal.SIGCONT)
        rename_all(many_courses(3) * 5)
        wait_until(all_handled)
        received = reader.facts(30)
        assert len(received) == 30
        assert first_occurrences(received) == as_published()


class TestStopped:
    def test_finishes_the_batch_in_hand(self, cluster, reader: Reader, start: Start) -> None:
        rename_all(many_courses(5) * 60)
        cluster.answer_slowly(milliseconds=10)
        sink = start(KAFKA_SINK_BATCH="100")
        reader.facts(20)
        sink.send_signal(signal.SIGTERM)
        assert sink.wait(10) == 0
        handled = Delivery.objects.filter(status=DeliveryStatus.HANDLED).count()
        assert handled
        assert handled % 100 == 0
        assert len(reader.count(handled)) == handled, "all that was sent is marked"

    @full
    def test_stops_in_time_while_kafka_is_away(self, cluster, start: Start) -> None:
        rename_all(many_courses(5))
        cluster.go_down()
        sink = start(KAFKA_STOP_SECONDS="0.5")
        wait_until(lambda: bool(sessions_with_the_lock()))
        sink.send_signal(signal.SIGTERM)
        assert sink.wait(10) == 0
        assert not Delivery.objects.exclude(status=DeliveryStatus.PENDING, attempts=0).exists()


@full
class TestDatabaseAway:
    def test_connects_again_and_goes_on(self, cluster, reader: Reader, start: Start) -> None:
        start()
        wait_until(lambda: bool(sessions_with_the_lock()))
        [session] = sessions_with_the_lock()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [session])
        rename_all(many_courses(3) * 5)
        wait_until(all_handled)
        assert sessions_with_the_lock() != [session]
        assert first_occurrences(reader.facts(15)) == as_published()
