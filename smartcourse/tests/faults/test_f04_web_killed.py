"""F4: a web process is killed around the commit; whoever asks again by the same key gets the one result."""

from __future__ import annotations

import httpx
import pytest

from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.posting import courses_called, new_title, post_course
from smartcourse.tests.faults.waiting import eventually

FREE_WITHIN = 5


def ask_again(platform: Platform, token: str, key: str, title: str) -> httpx.Response | None:
    """Return the answer, None as long as the killed request is said to be in progress."""
    answer = post_course(platform, token, key, title=title)
    # PostgreSQL may notice a moment later that its client is gone.
    return None if answer.status_code == 409 else answer


@pytest.mark.full
@pytest.mark.parametrize("platform", ["valkey"], indirect=True)
class TestKilled:
    @pytest.mark.parametrize(("place", "replayed"), [("answer.after", "true"), ("answer.mid", None)])
    def test_around_its_commit_gives_the_retry_one_result(
        self, platform: Platform, place: str, replayed: str | None
    ) -> None:
        platform.start("web1")
        [teacher] = platform.do("make_people", count=1, role="instructor")
        title, key = new_title(), f"killed-at-{place}"
        platform.break_at(place, "kill group")

        with pytest.raises(httpx.TransportError):
            post_course(platform, teacher["token"], key, title=title)
        committed = courses_called(platform, title)
        assert len(committed) == (1 if replayed else 0)

        # As a supervisor does; the process that listened may outlive the one that answered by a moment.
        eventually(lambda: not platform.runs("web1"), FREE_WITHIN, "web1 was not killed")
        platform.start("web1")
        answer = eventually(lambda: ask_again(platform, teacher["token"], key, title), FREE_WITHIN)
        assert answer is not None
        assert (answer.status_code, answer.headers.get("Idempotency-Replayed")) == (201, replayed)
        [made] = courses_called(platform, title)
        assert answer.json()["id"] == made["id"]
        assert made["facts"] == 1
        assert committed in ([], [made])
