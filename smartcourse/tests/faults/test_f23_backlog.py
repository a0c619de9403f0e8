"""F23: ten thousand facts wait; they are relayed and handled soon, in little memory, and leave the outbox."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psutil
import pytest

from smartcourse.embedded.installation import WORKER_PROCESSES
from smartcourse.tests.faults.checks import check_once, drained
from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.waiting import eventually

COUNT = 10_000
RELAYED_A_SECOND, HANDLED_A_SECOND = 1000, 500
STARTED_WITHIN = 1.0
"""P95 from a fact's commit to its subscriber's start, in seconds."""
# What is measured is a backlog, and no messages that were lost: they are looked for as rarely as in production.
PATIENCE = {"SWEEP_INTERVAL_SECONDS": "5", "DELIVERY_REDISPATCH_SECONDS": "15"}
GROWTH = 32 * 1024 * 1024
"""What a process may have more at the end of a backlog than after its first batches, in bytes."""
HEAPED = "thing.heaped"
LEFT = "SELECT count(*) FROM events_outboxfact WHERE type = 'thing.heaped' AND relayed_at IS NULL"
# Per second, between the first and the last of them; the first batch's own time is not in it, nor is it counted.
RELAYED = """
    SELECT (count(*) FILTER (WHERE relayed_at > first) / nullif(extract(epoch FROM max(last) - min(first)), 0))::float
    FROM events_outboxfact, (SELECT min(relayed_at) AS first, max(relayed_at) AS last FROM events_outboxfact
                             WHERE type = 'thing.heaped') AS span
    WHERE type = 'thing.heaped'
"""
HANDLED = """
    SELECT (count(*) / nullif(extract(epoch FROM max(at) - min(at)), 0))::float
    FROM faults_effect WHERE subscriber = 'note_one_of_many'
"""
SESSIONS = "SELECT count(DISTINCT session) FROM faults_effect WHERE subscriber = 'note_one_of_many'"
HAPPENED = "thing.happened"
STARTED = "SELECT count(*) FROM faults_effect WHERE subscriber = 'note' AND thing_id = %s"
# A fact has occurred a moment before it is committed, and its effect is written a moment after its subscriber began.
LAGS = """
    SELECT extract(epoch FROM effect.at - fact.occurred_at)::float AS lag
    FROM faults_effect effect JOIN events_outboxfact fact ON fact.id = effect.fact_id
    WHERE effect.subscriber = 'note' AND effect.thing_id = ANY(%s::uuid[])
"""
FLOOR_TABLES = """
    CREATE TEMPORARY TABLE owed AS
        SELECT gen_random_uuid() AS id, 'PENDING' AS status, NULL::timestamptz AS handled_at
        FROM generate_series(1, {count});
    ALTER TABLE owed ADD PRIMARY KEY (id);
    CREATE TEMPORARY TABLE effect (fact_id uuid, thing_id uuid, at timestamptz DEFAULT clock_timestamp());
"""
NOTED = "SELECT count(*) FROM faults_effect WHERE subscriber = 'note_one_of_many'"


class Memory:
    """What a process and its children keep resident, looked at ten times a second."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    @property
    def growth(self) -> int:
        """Return by how much the most exceeds what there was after the first tenth of the time."""
        return max(self.seen) - self.seen[len(self.seen) // 10]

    @property
    def most(self) -> int:
        return max(self.seen)


@contextmanager
def watched(process_id: int) -> Iterator[Memory]:
    """Watch a process within the context."""
    memory, done, leader = Memory(), threading.Event(), psutil.Process(process_id)

    def look() -> None:
        while not done.wait(0.1):
            family = [leader, *leader.children(recursive=True)]
            memory.seen.append(sum(each.memory_info().rss for each in family if each.is_running()))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        done.set()
        thread.join()


def floor(platform: Platform, *, count: int) -> float:
    """Return how many deliveries a second one client marks as handled, each with an effect, by plain SQL and no more.

    What the machine can do today, to hold the figures against.
    """
    with platform.database() as connection:
        connection.execute(FLOOR_TABLES.format(count=count))
        owed = [row["id"] for row in connection.execute("SELECT id FROM owed").fetchall()]
        begun = time.perf_counter()
        for key in owed:
            with connection.transaction():
                connection.execute(
                    "UPDATE owed SET status = 'HANDLED', handled_at = now() WHERE id = %s", [key]
                )
                connection.execute("INSERT INTO effect (fact_id, thing_id) VALUES (%s, %s)", [key, key])
        return len(owed) / (time.perf_counter() - begun)


@pytest.mark.alone
@pytest.mark.full
class TestBacklog:
    def test_is_relayed_handled_and_pruned(self, platform: Platform, figures: Callable[[str], None]) -> None:
        platform.start("worker1", "relay1", "beat1")
        drained(platform, within=60)
        platform.kill("relay1")
        platform.kill("worker1")
        self._pile_up(platform)

        platform.start("relay1")
        with watched(platform.pid("relay1")) as relay:
            eventually(lambda: platform.one(LEFT) == 0, 120, "the backlog is not relayed")
        platform.start("worker1")
        with watched(platform.pid("worker1")) as worker:
            eventually(lambda: platform.one(NOTED) == COUNT, 120, "the backlog is not handled")
        relayed, handled = platform.one(RELAYED) or 0.0, platform.one(HANDLED) or 0.0
        sessions = platform.one(SESSIONS)
        # A pool begins with one connection, and makes a second one for who does not wait for the first.
        assert sessions <= 2 * WORKER_PROCESSES, "a worker's process keeps its connections from task to task"
        drained(platform, within=60)
        check_once(platform)
        self._prune(platform)

        least = floor(platform, count=COUNT // 5)
        told = (
            f"F23 {platform.kind}: {COUNT} facts, relayed {relayed:.0f} a second, handled {handled:.0f} a second "
            f"(plain SQL of one client: {least:.0f}); relay {relay.most >> 20} MB (+{relay.growth >> 20}), "
            f"worker {worker.most >> 20} MB (+{worker.growth >> 20}); pruned"
        )
        figures(told)
        assert relayed >= RELAYED_A_SECOND, told
        assert handled >= HANDLED_A_SECOND, told
        assert relay.growth < GROWTH, told
        assert worker.growth < GROWTH, told

    def _pile_up(self, platform: Platform) -> None:
        things = [str(uuid4()) for _ in range(100)]
        plan = [(things[number % len(things)], number) for number in range(1, COUNT + 1)]
        platform.do("publish_things", kind=HEAPED, plan=plan, batch=100)

    def _prune(self, platform: Platform) -> None:
        """Archive at once what beat would archive in a week."""
        said = json.loads(platform.manage("archive_facts", "--days", "0", "--json"))
        assert said["archived"] >= COUNT
        assert platform.one("SELECT count(*) FROM events_outboxfact WHERE type = %s", HEAPED) == 0
        assert platform.one("SELECT count(*) FROM events_archivedfact WHERE type = %s", HEAPED) == COUNT
        assert (
            platform.one("SELECT count(*) FROM events_delivery WHERE subscriber LIKE '%%.note_one_of_many'")
            == 0
        )


@pytest.mark.alone
@pytest.mark.full
class TestLag:
    def test_from_a_commit_to_the_start_of_a_subscriber_is_short(
        self, platform: Platform, figures: Callable[[str], None]
    ) -> None:
        platform.start("worker1", "relay1", "beat1")
        drained(platform, within=60)
        things = [str(uuid4()) for _ in range(200)]
        for thing in things:
            platform.do("publish_things", kind=HAPPENED, plan=[(thing, 1)])
            eventually(lambda thing=thing: platform.one(STARTED, thing), 20, "nobody hears of it")
        lags = sorted(row["lag"] for row in platform.rows(LAGS, things))
        check_once(platform)

        p95 = lags[len(lags) * 95 // 100]
        figures(
            f"F23 {platform.kind}: {len(lags)} facts one by one, from the commit to the subscriber's start: median "
            f"{statistics.median(lags) * 1000:.0f} ms, P95 {p95 * 1000:.0f} ms"
        )
        assert p95 < STARTED_WITHIN
