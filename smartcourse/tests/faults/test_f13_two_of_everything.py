"""F13: two relays, two beats; one of each stands still while it holds its place, then goes on; no effect twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from smartcourse.tests.faults.checks import check_once, drained
from smartcourse.tests.faults.platform import Platform, is_stopped
from smartcourse.tests.faults.stories import STORIES
from smartcourse.tests.faults.waiting import eventually

# A relay that is merely slow has to be told from one that is gone, which takes seconds (RELAY_TAKEOVER_SECONDS).
RELAY_WITHIN, RUN_WITHIN, SWEPT_WITHIN = 20, 60, 60
STANDS_STILL = 60
# By then the database has ended the sessions of all three, if it has not long since (WORKFLOW_LEASE_SECONDS).
ENDED_WITHIN = 10
STOPPED = """
    SELECT pid FROM faults_trace WHERE place = %s AND subject_id IS NOT DISTINCT FROM %s::uuid AND mode = 'stop'
"""
IN_A_TRANSACTION = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'smartcourse' AND state = 'idle in transaction'
        AND state_change < clock_timestamp() - interval '1 second'
"""
DONE_BY = "SELECT count(*) FROM faults_effect WHERE pid = %s AND thing_id = ANY(%s::uuid[])"
HEARD = "SELECT count(*) FROM faults_signal WHERE thing_id = ANY(%s::uuid[])"
NOTED = "SELECT count(*) FROM faults_effect WHERE thing_id = ANY(%s::uuid[])"


@pytest.fixture
def doubled(platform: Platform) -> Iterator[Platform]:
    """The installation with two relays, two beats and two workers.

    A worker one of whose processes stands still may wait for that one before it looks for a lost broker again.
    """
    platform.start("web1", "worker1", "worker2", "relay1", "relay2", "beat1", "beat2")
    yield platform
    for name in ("worker2", "relay2", "beat2"):
        platform.kill(name)


def stopped_at(platform: Platform, place: str, subject: str | None = None) -> int:
    """Return the id of the process that stands still at that place."""
    [row] = eventually(lambda: platform.rows(STOPPED, place, subject), 10, f"nobody stopped at {place}")
    eventually(lambda: is_stopped(row["pid"]), 5, "it goes on")
    return int(row["pid"])


def published(platform: Platform, count: int, *, number: int = 1) -> list[str]:
    """Publish a fact about each of so many new things, and return them."""
    things = [str(uuid4()) for _ in range(count)]
    platform.do("publish_things", kind="thing.happened", plan=[(thing, number) for thing in things])
    return things


@pytest.mark.full
class TestOneThatStandsStill:
    def test_is_replaced_and_does_nothing_twice_when_it_goes_on(
        self, doubled: Platform, figures: Callable[[str], None]
    ) -> None:
        begun = time.monotonic()
        enrollment = self._worker_stopped_in_a_step(doubled)
        relay, relayed = self._relay_stopped_in_a_batch(doubled)
        beat, swept = self._beat_stopped_in_a_claim_and_messages_lost(doubled)
        worker, story = stopped_at(doubled, "enrollment.activate.mid", enrollment), STORIES["enrollment"]
        eventually(lambda: story.ended(doubled, enrollment), RUN_WITHIN, "nobody took the run over")
        taken = time.monotonic() - begun
        time.sleep(max(0.0, STANDS_STILL - (time.monotonic() - begun)))
        eventually(lambda: doubled.one(IN_A_TRANSACTION) == 0, ENDED_WITHIN, "a session of the three goes on")
        stood = time.monotonic() - begun

        for process in (relay, worker, beat):
            os.kill(process, signal.SIGCONT)
        things = published(doubled, 20)
        eventually(lambda: doubled.one(HEARD, things) == 20, RELAY_WITHIN, "nobody relays any more")
        self._worker_goes_on(doubled, worker)
        drained(doubled, within=30)
        story.check_done(doubled, enrollment)
        check_once(doubled)
        figures(
            f"F13 {doubled.kind}: relay, beat and worker stood still for {stood:.0f} s; the other relay went on after "
            f"{relayed:.1f} s, the other beat after {swept:.1f} s, the run ended after {taken:.1f} s; nothing twice"
        )

    def _worker_stopped_in_a_step(self, platform: Platform) -> str:
        story = STORIES["enrollment"]
        scene = story.prepare(platform)
        platform.break_at("enrollment.activate.mid", "stop")
        enrollment = story.begin(platform, scene)
        stopped_at(platform, "enrollment.activate.mid", enrollment)
        return enrollment

    def _relay_stopped_in_a_batch(self, platform: Platform) -> tuple[int, float]:
        """Stop the active relay with its transaction open; return its id, and when the other one went on."""
        thing = str(uuid4())
        platform.break_at("relay.mid", "stop", subject=thing)
        platform.do("publish_things", kind="thing.happened", plan=[(thing, 0)])
        relay = stopped_at(platform, "relay.mid", thing)
        begun = time.monotonic()
        assert relay in (platform.pid("relay1"), platform.pid("relay2"))
        things = [thing, *published(platform, 20)]
        eventually(
            lambda: platform.one(HEARD, things) == 21, RELAY_WITHIN, "the other relay did not take over"
        )
        return relay, time.monotonic() - begun

    def _beat_stopped_in_a_claim_and_messages_lost(self, platform: Platform) -> tuple[int, float]:
        """Stop a beat in its claim, lose messages; return its id, and when the other's sweep had them done."""
        platform.break_at("beat.mid", "stop")
        beat = stopped_at(platform, "beat.mid")
        assert beat in (platform.pid("beat1"), platform.pid("beat2"))
        platform.broker.cut()
        things = published(platform, 5)
        eventually(lambda: platform.one(HEARD, things) == 5, RELAY_WITHIN, "the relay stands still too")
        platform.broker.forward()
        begun = time.monotonic()
        eventually(lambda: platform.one(NOTED, things) == 10, SWEPT_WITHIN, "lost messages stay lost")
        return beat, time.monotonic() - begun

    def _worker_goes_on(self, platform: Platform, worker: int) -> None:
        """Give the workers something to do until the one that stood still has done some of it."""
        things: list[str] = []

        def look() -> bool:
            things.extend(published(platform, 1))
            return bool(platform.one(DONE_BY, worker, things))

        eventually(look, RUN_WITHIN, "the worker that stood still does nothing any more")
