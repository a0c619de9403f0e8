"""F21: clocks that are a month ahead or an hour behind, beside others that are right: nobody is wronged by them.

Days of a change to daylight saving, which no process here reckons in, are in accounts/tests/test_clock.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from smartcourse.tests.faults.checks import check_enrolled, check_once, drained
from smartcourse.tests.faults.load import Load, base_url, enrollments_to_make, failures
from smartcourse.tests.faults.platform import FAKE_TIME, Platform
from smartcourse.tests.faults.test_f06_refresh import ask, me, signed_in

pytestmark = pytest.mark.skipif(
    FAKE_TIME is None and os.environ.get("CI") != "true",
    reason="libfaketime is not installed (apt-get install faketime)",
)
BACKWARDS = """
    SELECT
        (SELECT count(*) FROM workflows_steprecord WHERE finished_at < started_at) AS steps,
        (SELECT count(*) FROM workflows_run WHERE finished_at < created_at - interval '1 second') AS runs,
        (SELECT count(*) FROM enrollments_enrollment WHERE completed_at < started_at) AS enrollments
"""

Clocks = Callable[..., None]


@pytest.fixture
def put_wrong(platform: Platform) -> Iterator[Clocks]:
    """Puts clocks wrong, by the process, from its next start; one that runs, or had a wrong one, is ended for it."""

    def wrong(**offsets: str) -> None:
        for name, offset in offsets.items():
            platform.forget(name)
            platform.clocks[name] = offset

    yield wrong
    for name in list(platform.clocks):
        platform.forget(name)
    platform.clocks.clear()


@pytest.mark.full
class TestLeases:
    def test_of_a_worker_a_month_ahead_and_a_beat_an_hour_behind_are_as_good_as_any(
        self, platform: Platform, put_wrong: Clocks, figures: Callable[[str], None]
    ) -> None:
        put_wrong(worker2="+30d", beat2="-1h")
        platform.start("web1", "relay1", "worker1", "worker2", "beat1", "beat2")
        pairs = enrollments_to_make(platform, students=15, courses=10)
        with Load(base_url(platform), pairs, pause=1.0) as load:
            time.sleep(30)
        took = drained(platform, within=60)

        assert list(failures(load.failed)) == []
        check_enrolled(platform, load.enrolled)
        check_once(platform)
        [backwards] = platform.rows(BACKWARDS)
        assert backwards == {"steps": 0, "runs": 0, "enrollments": 0}
        ahead = platform.one(
            "SELECT count(*) FROM enrollments_enrollment WHERE started_at > clock_timestamp() + interval '20 days'"
        )
        assert ahead > 0, "the worker that is ahead did its share"
        # Two beats, one of them in another hour, and each moment was claimed once.
        early = (
            "SELECT count(*) FROM queues_scheduledrun WHERE due_at > clock_timestamp() + interval '1 minute'"
        )
        assert platform.one(early) == 0
        figures(
            f"F21 {platform.kind}, a worker 30 days ahead and a beat an hour behind: {len(load.enrolled)} enrollments "
            f"({ahead} by the first), effects once, no duration below nought, drained in {took:.1f} s"
        )


@pytest.mark.full
@pytest.mark.parametrize("platform", ["valkey"], indirect=True)
class TestTokens:
    def test_of_another_time_are_refused_and_renewed(self, platform: Platform, put_wrong: Clocks) -> None:
        put_wrong(web2="-1h")
        platform.start("web1", "web2")
        tokens = signed_in(platform)
        # To a server that is behind, it is of the future, and would live an hour too long.
        assert code(me(platform, tokens["access_token"], "web2")) == (401, "invalid_token")
        renewed = refreshed(platform, tokens["refresh_token"], "web2")
        assert renewed.status_code == 200, renewed.text
        assert me(platform, renewed.json()["access_token"], "web2").status_code == 200
        # And to one that is right, what the other gave has been over for long; the session is not.
        assert code(me(platform, renewed.json()["access_token"], "web1")) == (401, "token_expired")
        again = refreshed(platform, renewed.json()["refresh_token"], "web1")
        assert me(platform, again.json()["access_token"], "web1").status_code == 200

    def test_open_nothing_a_month_later_and_are_not_revoked_by_a_wrong_clock(
        self, platform: Platform, put_wrong: Clocks
    ) -> None:
        put_wrong(web2="+30d")
        platform.start("web1", "web2")
        tokens = signed_in(platform)
        assert code(me(platform, tokens["access_token"], "web2")) == (401, "token_expired")
        assert refreshed(platform, tokens["refresh_token"], "web2").status_code == 401
        assert me(platform, tokens["access_token"], "web1").status_code == 200
        assert refreshed(platform, tokens["refresh_token"], "web1").status_code == 200


def refreshed(platform: Platform, token: str, web: str) -> httpx.Response:
    return ask(platform, "refresh", {"refresh_token": token}, web=web)


def code(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["code"]
