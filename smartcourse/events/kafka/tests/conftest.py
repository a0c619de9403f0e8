"""A cluster, a fact that has a topic, and a reader of what arrives."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import pytest
from confluent_kafka import Consumer, Message
from django.db import transaction

from smartcourse.db.identifiers import uuid7
from smartcourse.events import facts
from smartcourse.events.facts import Fact
from smartcourse.events.kafka.drain import SINK
from smartcourse.events.kafka.tests.cluster import MockCluster
from smartcourse.events.kafka.topics import topic_of
from smartcourse.events.models import Delivery, OutboxFact
from smartcourse.events.outbox import publish

TOPIC = "course.events"
DEAD_LETTERS = f"{TOPIC}.dlq"


@dataclass(frozen=True, kw_only=True)
class CourseRenamed(Fact):
    """A course has another title."""

    type: ClassVar[str] = "course.renamed"
    aggregate: ClassVar[str] = "course"

    course_id: UUID
    title: str


# Declared for the tests alone; the product's registry is as it was.
facts._registry.pop("course.renamed")


def rename(course_id: UUID, *, times: int = 1, title: str = "Another title") -> list[Delivery]:
    """Publish facts of one course and owe them to the sink, as the relay does it."""
    return rename_all([course_id] * times, title=title)


def rename_all(course_ids: Sequence[UUID], *, title: str = "Another title") -> list[Delivery]:
    with transaction.atomic():
        renamed = [CourseRenamed(course_id=course_id, title=title) for course_id in course_ids]
        for fact in renamed:
            publish(fact)
    rows = OutboxFact.objects.filter(pk__in=[fact.fact_id for fact in renamed]).order_by("position")
    return Delivery.objects.bulk_create(
        [Delivery(fact=row, position=row.position, subscriber=SINK) for row in rows]
    )


def many_courses(count: int) -> list[UUID]:
    return [uuid7() for _ in range(count)]


@dataclass(frozen=True)
class Received:
    """One message, as a consumer saw it."""

    topic: str
    partition: int
    key: str
    headers: dict[str, bytes]
    value: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.value)
        return event


class Reader:
    """A consumer in a group of its own, which reads everything from the beginning."""

    def __init__(self, servers: str, *topics: str) -> None:
        self._consumer = Consumer({
            "bootstrap.servers": servers, "group.id": str(uuid7()), "group.protocol": "consumer",
            "auto.offset.reset": "earliest", "enable.auto.commit": False,
            "log_level": 0, "reconnect.backoff.max.ms": 200,
        })  # fmt: skip
        self._consumer.subscribe(list(topics))
        self.received: list[Received] = []

    def until(self, enough: Callable[[list[Received]], bool], *, seconds: float = 20) -> list[Received]:
        """Read until there is enough, and return all that was ever read."""
        deadline = time.monotonic() + seconds
        while not enough(self.received) and time.monotonic() < deadline:
            self.received += [_as_received(m) for m in self._consumer.consume(500, 0.2) if not m.error()]
        assert enough(self.received), f"only {len(self.received)} messages came"
        return self.received

    def count(self, number: int) -> list[Received]:
        return self.until(lambda received: len(received) >= number)

    def facts(self, number: int) -> list[Received]:
        """Read until so many different facts have come."""
        return self.until(lambda received: len({each.event["id"] for each in received}) >= number)

    def close(self) -> None:
        self._consumer.close()


def _as_received(message: Message) -> Received:
    return Received(
        topic=str(message.topic()),
        partition=int(message.partition() or 0),
        key=(message.key() or b"").decode(),
        headers={name: value or b"" for name, value in message.headers() or []},
        value=message.value() or b"",
    )


def first_occurrences(received: Sequence[Received]) -> dict[str, list[str]]:
    """Return the ids of the facts of each key in the order in which they were first seen."""
    seen: dict[str, dict[str, None]] = defaultdict(dict)
    for each in received:
        seen[each.key].setdefault(each.event["id"])
    return {key: list(ids) for key, ids in seen.items()}


def as_published() -> dict[str, list[str]]:
    """Return the ids of the facts of each key in the order in which they were published."""
    ids = defaultdict(list)
    facts_of_courses = OutboxFact.objects.filter(type=CourseRenamed.type).order_by("sequence")
    for aggregate_id, fact_id in facts_of_courses.values_list("aggregate_id", "pk"):
        ids[str(aggregate_id)].append(str(fact_id))
    return ids


FULL = os.environ.get("FAULTS") == "full"
full = pytest.mark.skipif(not FULL, reason="takes long: it runs where FAULTS=full")


@pytest.fixture(scope="session")
def new_cluster() -> Iterator[Callable[[], MockCluster]]:
    """Hands out new clusters; the next one is made meanwhile: a topic waits up to a second for the cluster's thread."""

    def made() -> MockCluster:
        return MockCluster(topics={TOPIC: topic_of(CourseRenamed.type).partitions, DEAD_LETTERS: 1})

    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(made)]

        def next_one() -> MockCluster:
            waiting.append(pool.submit(made))
            return waiting.pop(0).result()

        yield next_one
        for rest in waiting:
            rest.result().close()


@pytest.fixture
def cluster(settings, monkeypatch, new_cluster) -> Iterator[MockCluster]:
    monkeypatch.setitem(facts._registry, CourseRenamed.type, CourseRenamed)
    with new_cluster() as cluster:
        settings.KAFKA_BOOTSTRAP_SERVERS = cluster.servers
        settings.KAFKA_GROUP_PROTOCOL = "consumer"
        settings.KAFKA_SINK_RETRY_SECONDS = (0.0, 0.0)
        yield cluster


@pytest.fixture
def reader(cluster) -> Iterator[Reader]:
    reader = Reader(cluster.servers, TOPIC)
    yield reader
    reader.close()
