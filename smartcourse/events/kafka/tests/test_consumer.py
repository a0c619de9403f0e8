"""The example consumer: groups, retries, dead letters, and nothing committed before it is handled."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer
from django.core.management import call_command

from smartcourse.events.kafka.consumer import FactConsumer, IncomingFact
from smartcourse.events.kafka.drain import Drain
from smartcourse.events.kafka.tests.conftest import (
    DEAD_LETTERS,
    TOPIC,
    Reader,
    many_courses,
    rename,
    rename_all,
)
from smartcourse.events.models import OutboxFact

pytestmark = pytest.mark.django_db

Handler = Callable[[IncomingFact], None]


def send_all() -> None:
    drain = Drain()
    while drain.batch(limit=500):
        pass
    drain.close()


class Running:
    """Consumers in threads of their own, ended with the test."""

    def __init__(self) -> None:
        self._all: list[tuple[FactConsumer, threading.Thread]] = []

    def start(
        self, handler: Handler, *, group: str = "readers", retry_after: tuple[float, ...] = ()
    ) -> FactConsumer:
        consumer = FactConsumer(handler, group=group, topics=[TOPIC], retry_after=retry_after)
        thread = threading.Thread(target=consumer.run)
        thread.start()
        self._all.append((consumer, thread))
        return consumer

    def stop(self, *consumers: FactConsumer) -> None:
        for consumer, thread in self._all:
            if not consumers or consumer in consumers:
                consumer.stop()
                thread.join(10)
                assert not thread.is_alive()


@pytest.fixture
def running(cluster) -> Iterator[Running]:
    running = Running()
    yield running
    running.stop()


def wait_until(condition: Callable[[], bool], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


class TestFactConsumer:
    def test_hands_over_each_fact_in_order_and_commits_it(self, running: Running) -> None:
        course = many_courses(1)[0]
        rename(course, times=5)
        send_all()
        seen: list[IncomingFact] = []
        first = running.start(seen.append)
        wait_until(lambda: len(seen) == 5)
        running.stop(first)
        assert [fact.sequence for fact in seen] == [1, 2, 3, 4, 5]
        assert {fact.type for fact in seen} == {"smartcourse.course.renamed.v1"}
        assert seen[0].data == {"course_id": str(course), "title": "Another title"}

        rename(course)
        send_all()
        running.start(seen.append)
        wait_until(lambda: len(seen) >= 6)
        assert [fact.sequence for fact in seen] == [1, 2, 3, 4, 5, 6], "the group goes on where it stopped"

    def test_shares_partitions_with_others_of_its_group(self, running: Running) -> None:
        mine: list[str] = []
        theirs: list[str] = []
        running.start(lambda fact: mine.append(fact.id))
        running.start(lambda fact: theirs.append(fact.id))
        everything: list[str] = []
        running.start(lambda fact: everything.append(fact.id), group="others")
        for _ in range(20):
            rename_all(many_courses(20))
            send_all()
            wait_until(lambda: len({*mine, *theirs}) == OutboxFact.objects.count())
            if mine and theirs:
                break
        assert mine
        assert theirs
        wait_until(lambda: len(set(everything)) == OutboxFact.objects.count())

    def test_tries_again_with_growing_patience_until_it_succeeds(self, running: Running) -> None:
        rename(many_courses(1)[0])
        send_all()
        attempts: list[float] = []

        def fail_twice(fact: IncomingFact) -> None:
            attempts.append(time.monotonic())
            if len(attempts) < 3:
                raise ValueError("not yet")

        running.start(fail_twice, retry_after=(0.05, 0.2, 0.4))
        wait_until(lambda: len(attempts) == 3)
        first, second, third = attempts
        assert second - first >= 0.05
        assert third - second >= 0.2

    def test_puts_what_fails_to_the_end_among_the_dead_letters_and_goes_on(
        self, cluster, running: Running
    ) -> None:
        course = many_courses(1)[0]
        rename(course, title="poison")
        rename(course, title="sound")
        send_all()
        handled, attempts = [], []

        def handle(fact: IncomingFact) -> None:
            if fact.data["title"] == "poison":
                attempts.append(fact.id)
                raise RuntimeError("indigestible")
            handled.append(fact.id)

        running.start(handle, retry_after=(0.01,) * 5)
        wait_until(lambda: len(handled) == 1)
        assert len(attempts) == 6, "five retries"
        dead = Reader(cluster.servers, DEAD_LETTERS)
        [letter] = dead.count(1)
        dead.close()
        assert (letter.key, letter.event["id"]) == (str(course), attempts[0])
        told = {name: value.decode() for name, value in letter.headers.items()}
        assert told["content-type"] == "application/cloudevents+json; charset=UTF-8"
        assert told["dlq-cause"] == "RuntimeError: indigestible"
        assert (told["dlq-attempts"], told["dlq-group"]) == ("6", "readers")
        assert (told["dlq-topic"], told["dlq-offset"]) == (TOPIC, "0")

    def test_does_not_try_again_what_cannot_be_read(self, cluster, running: Running) -> None:
        producer = Producer({"bootstrap.servers": cluster.servers, "log_level": 0})
        for value in (b"no JSON", b"{}", b"[]"):
            producer.produce(TOPIC, key=b"a", value=value)
        producer.flush()
        running.start(lambda fact: None, retry_after=(60.0,))
        dead = Reader(cluster.servers, DEAD_LETTERS)
        letters = dead.count(3)
        dead.close()
        assert [letter.value for letter in letters] == [b"no JSON", b"{}", b"[]"]
        assert {letter.headers["dlq-attempts"] for letter in letters} == {b"1"}

    def test_leaves_a_fact_to_the_next_reader_when_stopped_between_attempts(self, running: Running) -> None:
        rename(many_courses(1)[0])
        send_all()
        tried = threading.Event()

        def fail(fact: IncomingFact) -> None:
            tried.set()
            raise RuntimeError("not here")

        stubborn = running.start(fail, retry_after=(60.0,))
        assert tried.wait(10)
        running.stop(stubborn)
        seen: list[IncomingFact] = []
        running.start(seen.append)
        wait_until(lambda: len(seen) == 1)


class TestCommand:
    def test_prints_a_line_for_each_fact(self, cluster, monkeypatch) -> None:
        monkeypatch.setattr("signal.signal", lambda *_: None)
        rename_all(many_courses(3))
        send_all()
        out = io.StringIO()
        call_command("kafka_consume", "--group", "shell", "--topic", TOPIC, "--limit", "3", stdout=out)
        lines = [json.loads(line) for line in out.getvalue().splitlines()]
        assert {line["id"] for line in lines} == {
            str(pk) for pk in OutboxFact.objects.values_list("pk", flat=True)
        }
