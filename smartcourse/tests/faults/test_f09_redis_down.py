"""F9: Redis forgets everything, or is away: learning goes on, guessing is closed, no revocation is skipped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from accounts.tests.factories import PASSWORD
from smartcourse.tests.faults.checks import check_enrolled, check_once, drained
from smartcourse.tests.faults.conftest import Ground
from smartcourse.tests.faults.load import TIMEOUT, Load, base_url, enrollments_to_make, failures
from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.waiting import eventually

pytestmark = pytest.mark.full
WEBS = ("web1", "web2")
OTHERS = ("worker1", "relay1", "beat1")
BUCKET = 100
BACK_WITHIN = 10


@pytest.fixture(scope="module")
def platform(ground: Ground) -> Iterator[Platform]:
    """An installation of its own, with limits, and with a door in front of Redis that can be shut."""
    with ExitStack() as stack:
        yield ground.new_platform(
            stack, broker="valkey", patience={"RATE_LIMITS_ENABLED": "true"}, redis_behind_proxy=True
        )


def ask(
    platform: Platform, path: str, token: str = "", web: str = "web1", method: str = "GET"
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.request(method, f"{base_url(platform, web)}/api/v1/{path}", headers=headers, timeout=TIMEOUT)


def sign_in(platform: Platform, email: str) -> httpx.Response:
    address = f"{base_url(platform)}/api/v1/auth/login"
    return httpx.post(address, json={"email": email, "password": PASSWORD}, timeout=TIMEOUT)


def hits(platform: Platform) -> float:
    """Return how often a session was found in the cache, of both web servers together."""
    told = [httpx.get(f"{base_url(platform, web)}/metrics", timeout=TIMEOUT).text for web in WEBS]
    words = (
        line.split() for text in told for line in text.splitlines() if 'cache="session",result="hit"' in line
    )
    return sum(float(value) for _, value in words)


def is_up(platform: Platform, server: str) -> bool:
    text = httpx.get(f"{base_url(platform)}/metrics", timeout=TIMEOUT).text
    return f'smartcourse_server_up{{server="{server}"}} 1.0' in text


def check_revoked(platform: Platform, token: str) -> None:
    """Check that a session that has ended opens nothing, whichever web server is asked."""
    for web in WEBS:
        answer = ask(platform, "auth/me", token, web)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked"), web


class TestAway:
    def test_leaves_learning_open_closes_guessing_and_skips_no_revocation(
        self, platform: Platform, figures: Callable[[str], None]
    ) -> None:
        platform.start(*WEBS, *OTHERS)
        reader, busy, leaver = platform.do("make_people", count=3)
        pairs = enrollments_to_make(platform, students=15, courses=10)
        for web in WEBS:
            assert ask(platform, "auth/me", leaver["token"], web).status_code == 200
        with Load(base_url(platform), pairs, pause=2.0, reader=reader["token"]) as load:
            time.sleep(1)
            for door in (platform.place.redis, platform.broker):
                assert door
                door.cut()
            begun = time.monotonic()
            self._check_policy(platform, reader["email"], busy["token"], leaver["token"])
            time.sleep(max(0.0, 60 - (time.monotonic() - begun)))
            check_revoked(platform, leaver["token"])
            down = time.monotonic() - begun
            platform.mend()
            back = time.monotonic()
            # What the cache knew of that session before the outage, it may know still.
            check_revoked(platform, leaver["token"])
            eventually(lambda: sign_in(platform, reader["email"]).status_code == 200, BACK_WITHIN)
            closed_for = time.monotonic() - back
        check_revoked(platform, leaver["token"])
        self._check_return(platform, busy["token"])
        assert list(failures(load.failed)) == []
        assert len(load.enrolled) > 3, "there was a load"
        drained(platform, within=60)
        check_enrolled(platform, load.enrolled)
        check_once(platform)
        figures(
            f"F9 Redis away for {down:.0f} s: {len(load.answers)} requests, 0 failed, slowest {load.slowest:.1f} s, "
            f"{len(load.enrolled)} enrollments; signing in closed meanwhile, open {closed_for:.1f} s after its return; "
            "a session that ended meanwhile was refused by both web servers at every look"
        )

    def _check_policy(self, platform: Platform, email: str, busy: str, leaver: str) -> None:
        refused = [sign_in(platform, email), ask(platform, "certificates/verify/nothing")]
        for answer in refused:
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert int(answer.headers["Retry-After"]) > 0
        # More than the bucket holds: without Redis nobody counts, and service goes on.
        assert {ask(platform, "auth/me", busy).status_code for _ in range(BUCKET + 5)} == {200}
        assert ask(platform, "auth/logout", leaver, method="POST").status_code == 204
        check_revoked(platform, leaver)
        ready = ask(platform, "ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert (is_up(platform, "redis"), is_up(platform, "broker"), is_up(platform, "database")) == (
            False, False, True,
        )  # fmt: skip

    def _check_return(self, platform: Platform, token: str) -> None:
        """Check that caches are filled and asked again, and that limits hold."""
        known, begun = hits(platform), time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(platform, "auth/me", token), range(3 * BUCKET)))
        earned = (time.monotonic() - begun) * BUCKET / 60
        passed = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(passed) + len(refused) == len(answers)
        assert len(passed) <= BUCKET + earned + 1, "limits are counted again"
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        # Once a worker has told it of who left meanwhile; until then, it is not believed.
        eventually(
            lambda: ask(platform, "auth/me", token) and hits(platform) > known,
            60,
            "sessions are found in the cache again",
        )


class TestFlushed:
    def test_under_load_forgets_nothing_that_counts(
        self, platform: Platform, ground: Ground, figures: Callable[[str], None]
    ) -> None:
        platform.start(*WEBS, *OTHERS)
        reader, stayer, leaver = platform.do("make_people", count=3)
        pairs = enrollments_to_make(platform, students=15, courses=5)
        for person in (stayer, leaver):
            assert [ask(platform, "auth/me", person["token"], web).status_code for web in WEBS] == [200, 200]
        assert ask(platform, "auth/logout", leaver["token"], method="POST").status_code == 204

        flushes = 15
        with Load(base_url(platform), pairs, pause=1.5, reader=reader["token"]) as load:
            for _ in range(flushes):
                time.sleep(2)
                ground.flush_valkey()
                check_revoked(platform, leaver["token"])
                assert [ask(platform, "auth/me", stayer["token"], web).status_code for web in WEBS] == [
                    200,
                    200,
                ]
        assert list(failures(load.failed)) == []
        assert sign_in(platform, stayer["email"]).status_code == 200
        drained(platform, within=60)
        check_enrolled(platform, load.enrolled)
        check_once(platform)
        figures(
            f"F9 Redis flushed {flushes} times under load: {len(load.answers)} requests, 0 failed, "
            f"{len(load.enrolled)} enrollments; who was signed in stayed so, who had left was refused"
        )
