"""F10: PostgreSQL ends at once under load: 503 meanwhile, well again soon after, nothing acknowledged is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from smartcourse.tests.faults.checks import check_enrolled, check_once, drained
from smartcourse.tests.faults.conftest import Ground
from smartcourse.tests.faults.load import Answer, Load, base_url, enrollments_to_make
from smartcourse.tests.faults.platform import Platform

RECOVERED_WITHIN = 10
# Asked while it is down, and answered by who asks it.
PROBE_SECONDS = 8
# How long it is away, in seconds: a restart, a slow one, and one that every patience runs out in.
AWAY = (0, 5, 40)


def keep_promises(platform: Platform) -> None:
    """Have this database write down what it acknowledges; that of a test run forgets, to be fast."""
    platform.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET synchronous_commit = on', current_database()); END $$"
    )
    platform.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def check_refusal(answer: Answer) -> None:
    """Check that who was not served was told so, in a way that a client understands."""
    assert answer.status == 503, (
        f"{answer.asked}: {answer.status} after {answer.seconds:.1f} s: {answer.body}"
    )
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["code"] == "unavailable"
    assert int(answer.headers["retry-after"]) > 0


def probe(platform: Platform, path: str) -> tuple[int, Any]:
    answer = httpx.get(f"{base_url(platform)}/api/v1/{path}", timeout=PROBE_SECONDS)
    return answer.status_code, answer.json()["status"]


@pytest.mark.full
class TestPostgresRestarted:
    def test_under_load_refuses_for_a_while_and_loses_nothing(
        self, platform: Platform, ground: Ground, figures: Callable[[str], None]
    ) -> None:
        platform.start("web1", "worker1", "relay1", "beat1")
        pairs = enrollments_to_make(platform, students=20, courses=15)
        keep_promises(platform)
        recovered = []

        with Load(base_url(platform), pairs, pause=0.5) as load:
            for seconds in AWAY:
                time.sleep(2)
                with ground.postgres_down():
                    if seconds >= 2:
                        assert probe(platform, "health") == (200, "ok")
                        assert probe(platform, "ready") == (503, "unavailable")
                    time.sleep(seconds)
                recovered.append(self._recovery(load, since=time.monotonic()))
        # It has lost its connections, and nobody asked it for long: its pool would wait before it tries again.
        platform.end_agent()
        platform.start("web1", "worker1", "relay1", "beat1")
        took = drained(platform, within=60)

        for answer in load.failed:
            check_refusal(answer)
        assert load.failed, "there was an outage"
        assert len(load.enrolled) > 5, "there was a load"
        assert max(recovered) <= RECOVERED_WITHIN
        check_enrolled(platform, load.enrolled)
        # Each of the worker's two processes had one mail in hand at most.
        check_once(platform, in_hand=2 * len(AWAY))
        away, well = (", ".join(f"{seconds:.1f}" for seconds in times) for times in (AWAY, recovered))
        figures(
            f"F10 {platform.kind}: away for {away} s under load: {len(load.answers)} requests, {len(load.failed)} "
            f"refused with 503, well again after {well} s, {len(load.enrolled)} acknowledged enrollments all there, "
            f"drained {took:.1f} s after; slowest {load.slowest:.1f} s"
        )

    def _recovery(self, load: Load, *, since: float) -> float:
        """Return after how many seconds the last request failed, once they have all gone well for a while."""
        deadline = since + RECOVERED_WITHIN + 5
        while time.monotonic() < deadline:
            time.sleep(0.5)
            last = max((answer.at for answer in load.failed), default=since)
            if time.monotonic() - max(last, since) > 4:
                return max(0.0, last - since)
        return RECOVERED_WITHIN + 5
