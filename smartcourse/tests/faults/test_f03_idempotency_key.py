"""F3: one key, many requests: one deed; another body is refused, and another person's key is nobody else's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from smartcourse.tests.faults.platform import Platform, is_stopped
from smartcourse.tests.faults.posting import courses_called, new_title, post_course
from smartcourse.tests.faults.waiting import eventually

AT_ONCE = 50
REPLAYED = "Idempotency-Replayed"


@pytest.mark.full
@pytest.mark.parametrize("platform", ["valkey"], indirect=True)
class TestOneKey:
    def test_is_one_deed_however_often_it_is_sent(
        self, platform: Platform, figures: Callable[[str], None]
    ) -> None:
        platform.start("web1", "web2")
        [teacher] = platform.do("make_people", count=1, role="instructor")
        title, together = new_title(), threading.Barrier(AT_ONCE)

        def post(turn: int) -> httpx.Response:
            together.wait()
            return post_course(platform, teacher["token"], "one-key", title=title, web=f"web{turn % 2 + 1}")

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(post, range(AT_ONCE)))

        [made] = courses_called(platform, title)
        assert made["facts"] == 1
        firsts = [a for a in answers if a.status_code == 201 and REPLAYED not in a.headers]
        replays = [a for a in answers if a.status_code == 201 and REPLAYED in a.headers]
        waiting = [a for a in answers if a.status_code == 409]
        assert len(firsts) == 1
        assert len(firsts) + len(replays) + len(waiting) == AT_ONCE
        assert {a.content for a in replays} <= {firsts[0].content}
        assert {a.json()["code"] for a in waiting} <= {"request_in_progress"}
        assert firsts[0].json()["id"] == made["id"]
        figures(f"F3: {AT_ONCE} at once: 1 deed, {len(replays)} replays, {len(waiting)} were told to wait")

    def test_is_not_given_to_another_request(self, platform: Platform) -> None:
        platform.start("web1")
        [teacher] = platform.do("make_people", count=1, role="instructor")
        title, other = new_title(), new_title()
        assert post_course(platform, teacher["token"], "a-key", title=title).status_code == 201
        refused = post_course(platform, teacher["token"], "a-key", title=other)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
        assert courses_called(platform, other) == []
        again = post_course(platform, teacher["token"], "a-key", title=title)
        assert (again.status_code, again.headers[REPLAYED]) == (201, "true")

    def test_of_another_person_is_invisible(self, platform: Platform) -> None:
        platform.start("web1")
        people = platform.do("make_people", count=2, role="instructor")
        title = new_title()
        answers = [post_course(platform, person["token"], "same-key", title=title) for person in people]
        assert [a.status_code for a in answers] == [201, 201]
        assert [a.headers.get(REPLAYED) for a in answers] == [None, None]
        assert [row["instructor"] for row in courses_called(platform, title)] == [p["id"] for p in people]

    def test_is_in_progress_while_the_first_request_stands_still(self, platform: Platform) -> None:
        platform.start("web1", "web2")
        [teacher] = platform.do("make_people", count=1, role="instructor")
        title = new_title()
        platform.break_at("answer.mid", "stop")
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(post_course, platform, teacher["token"], "slow-key", title=title, timeout=60)
            [web] = eventually(
                lambda: platform.rows(
                    "SELECT pid FROM faults_trace WHERE place = 'answer.mid' AND mode = 'stop'"
                ),
                20,
            )
            # It says so before it does: told to go on now, it would stop afterwards.
            eventually(lambda: is_stopped(web["pid"]), 5, "it goes on")
            waits = post_course(platform, teacher["token"], "slow-key", title=title, web="web2")
            assert (waits.status_code, waits.json()["code"]) == (409, "request_in_progress")
            assert waits.headers["Retry-After"] == "1"
            platform.mend()
            assert first.result().status_code == 201
        again = post_course(platform, teacher["token"], "slow-key", title=title, web="web2")
        assert (again.status_code, again.headers[REPLAYED]) == (201, "true")
        assert len(courses_called(platform, title)) == 1
