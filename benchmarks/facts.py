"""How soon a fact reaches its subscriber, and how many do in a second.

`python -m benchmarks.facts [--facts N] [--json]`

Held against the floor: the same rows inserted and updated by plain SQL over the same driver, one client, on the same
server, in the same run. Medians of several rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psutil

from benchmarks.servers import process, servers

ROUNDS = 3
RELAY = ("manage.py", "relay")
WORKER = (
    "-m",
    "celery",
    "-A",
    "smartcourse",
    "worker",
    "-Q",
    "events,default",
    "--concurrency",
    "2",
    "-l",
    "ERROR",
)
FLOOR_PUBLISH = """
    INSERT INTO events_outboxfact
        (id, type, version, aggregate, aggregate_id, sequence, payload, request_id, occurred_at)
    VALUES (%s, 'lamp.lit', 1, 'lamp', %s, 1, %s::jsonb, '', now())
"""
FLOOR_COUNT = """
    INSERT INTO events_aggregatecounter (key, last) VALUES (%s, 1)
    ON CONFLICT (key) DO UPDATE SET last = events_aggregatecounter.last + 1
"""
FLOOR_RELAY = """
    WITH taken AS (
        UPDATE events_outboxfact SET relayed_at = now() WHERE id IN (
            SELECT id FROM events_outboxfact WHERE relayed_at IS NULL ORDER BY position LIMIT 500
        ) RETURNING id, position
    )
    INSERT INTO events_delivery
        (id, fact_id, position, subscriber, status, attempts, dispatches, last_error, created_at)
    SELECT gen_random_uuid(), id, position, 'floor', 'PENDING', 0, 0, '', now() FROM taken
"""
FLOOR_HANDLE = "UPDATE events_delivery SET status = 'HANDLED', handled_at = now(), attempts = 1 WHERE id = %s"


class Bench:
    """One run of everything, on servers that are there."""

    def __init__(self, facts: int, say: Callable[[str], None]) -> None:
        self.facts = facts
        self.say = say

    def run(self) -> dict[str, Any]:
        """Measure, and return the figures by name."""
        self._prepare()
        figures: dict[str, Any] = {}
        for name, measure in (
            ("publish", self._publish), ("relay", self._relay), ("handle", self._handle), ("lag", self._lag),
        ):  # fmt: skip
            self.say(f"  {name} ...")
            figures |= measure()
        return figures

    def _prepare(self) -> None:
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE lamps_effect (fact_id uuid NOT NULL, started_at timestamptz NOT NULL)"
            )

    def _publish(self) -> dict[str, Any]:
        count = max(self.facts // 5, 100)
        ours, floor = [], []
        for _ in range(ROUNDS):
            ours.append(count / timed(lambda: self._pile_up(count, batch=1)))
            floor.append(count / timed(lambda: self._floor_publish(count)))
            empty()
        return compared("published a second, a transaction each", ours, floor)

    def _relay(self) -> dict[str, Any]:
        from smartcourse.events.relay import relay_batch

        ours, floor, grown = [], [], []
        for _ in range(ROUNDS):
            self._pile_up(self.facts, batch=500)
            before = resident()
            ours.append(self.facts / timed(lambda: until_empty(relay_batch)))
            grown.append((resident() - before) / 2**20)
            empty()
            self._pile_up(self.facts, batch=500)
            floor.append(self.facts / timed(lambda: until_empty(lambda: execute(FLOOR_RELAY))))
            empty()
        told = compared("relayed a second, from the backlog", ours, floor)
        return told | {"relay's memory, growth in MB": round(max(grown), 1)}

    def _handle(self) -> dict[str, Any]:
        ours, floor = [], []
        for _ in range(ROUNDS):
            self._pile_up(self.facts, batch=500)
            floor.append(self._floor_handle())
            empty()
            self._pile_up(self.facts, batch=500)
            with process(*WORKER), process(*RELAY):
                wait_until(lambda: rows("SELECT count(*) FROM lamps_effect")[0][0] >= self.facts, 300)
            [[rate]] = rows(
                "SELECT count(*) / extract(epoch FROM max(started_at) - min(started_at)) FROM lamps_effect"
            )
            ours.append(float(rate))
            empty()
        return compared("handled a second by one subscriber, two worker processes", ours, floor)

    def _lag(self) -> dict[str, Any]:
        from django.db import transaction

        from benchmarks.lamps.events import LampLit
        from smartcourse.events.outbox import publish

        with process(*WORKER), process(*RELAY):
            committed: dict[Any, float] = {}
            warmed = 20
            for number in range(200 + warmed):
                fact = LampLit(lamp_id=uuid4(), colour="white")
                with transaction.atomic():
                    publish(fact)
                committed[fact.fact_id] = rows("SELECT extract(epoch FROM clock_timestamp())")[0][0]
                # The first ones wait for the processes to start.
                wait_until(lambda n=number + 1: rows("SELECT count(*) FROM lamps_effect")[0][0] >= n, 60)
        started = dict(rows("SELECT fact_id, extract(epoch FROM started_at) FROM lamps_effect"))
        lags = sorted(float(started[fact] - at) * 1000 for fact, at in list(committed.items())[warmed:])
        empty()
        return {
            "lag from commit to the subscriber's start, ms, median": round(statistics.median(lags), 1),
            "lag from commit to the subscriber's start, ms, P95": round(lags[int(len(lags) * 0.95)], 1),
        }

    def _pile_up(self, count: int, *, batch: int) -> None:
        from django.db import transaction

        from benchmarks.lamps.events import LampLit
        from smartcourse.events.outbox import publish

        lamps = [uuid4() for _ in range(100)]
        for start in range(0, count, batch):
            with transaction.atomic():
                for number in range(start, min(start + batch, count)):
                    publish(LampLit(lamp_id=lamps[number % 100], colour="white"))

    def _floor_publish(self, count: int) -> None:
        from django.db import connection, transaction

        for _ in range(count):
            lamp = uuid4()
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(FLOOR_COUNT, [f"lamp:{lamp}"])
                cursor.execute(
                    FLOOR_PUBLISH, [uuid4(), lamp, json.dumps({"lamp_id": str(lamp), "colour": "white"})]
                )

    def _floor_handle(self) -> float:
        """Update each delivery and insert its effect, by two clients as there are two workers: the rate of both."""
        from concurrent.futures import ThreadPoolExecutor

        from django.db import connection, transaction

        from benchmarks.lamps.receivers import EFFECT

        until_empty(lambda: execute(FLOOR_RELAY))
        owed = rows("SELECT id, fact_id FROM events_delivery")

        def work(mine: list[Any]) -> None:
            for delivery_id, fact_id in mine:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(FLOOR_HANDLE, [delivery_id])
                    cursor.execute(EFFECT, [fact_id])
            connection.close()

        with ThreadPoolExecutor(2) as pool:
            return len(owed) / timed(lambda: list(pool.map(work, [owed[::2], owed[1::2]])))


def compared(name: str, ours: list[float], floor: list[float]) -> dict[str, Any]:
    """Return the medians of both and their ratio, under that name."""
    mine, least = statistics.median(ours), statistics.median(floor)
    return {name: round(mine), f"{name}: plain SQL": round(least), f"{name}: ratio": round(mine / least, 2)}


def timed(deed: Callable[[], Any]) -> float:
    """Return how many seconds the deed took."""
    began_at = time.perf_counter()
    deed()
    return time.perf_counter() - began_at


def until_empty(batch: Callable[[], int]) -> None:
    """Repeat until there was nothing to do."""
    while batch():
        pass


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until the condition holds.

    Raises:
        TimeoutError: it does not within so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} seconds")
        time.sleep(0.002)


def execute(statement: str) -> int:
    """Execute the statement and return how many rows it touched."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def rows(query: str) -> list[Any]:
    """Return the rows of the query."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def empty() -> None:
    """Forget all facts and their effects."""
    execute("TRUNCATE events_outboxfact, events_delivery, events_aggregatecounter, lamps_effect")


def resident() -> int:
    """Return what this process keeps in memory, in bytes."""
    return int(psutil.Process().memory_info().rss)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--facts", type=int, default=10_000, help="size of the backlog (10000)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    options = parser.parse_args()

    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    say(f"Facts: a backlog of {options.facts}, {ROUNDS} rounds")
    with servers():
        figures = Bench(options.facts, say).run()
    if options.json:
        print(json.dumps(figures))
        return
    width = max(len(name) for name in figures)
    for name, figure in figures.items():
        print(f"{name:{width}}  {figure:>10,}")


if __name__ == "__main__":
    main()
