"""F6: one refresh token, fifty refreshes at once: one successor; a replay after the grace ends the session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from smartcourse.db.identifiers import uuid7
from smartcourse.tests.faults.load import TIMEOUT, base_url
from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.waiting import eventually

AT_ONCE = 50
PASSWORD = "correct horse battery staple"
GRACE = 10


def ask(platform: Platform, path: str, body: dict[str, str], web: str = "web1") -> httpx.Response:
    return httpx.post(f"{base_url(platform, web)}/api/v1/auth/{path}", json=body, timeout=TIMEOUT)


def me(platform: Platform, token: str, web: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{base_url(platform, web)}/api/v1/auth/me", headers=headers, timeout=TIMEOUT)


def signed_in(platform: Platform) -> dict[str, str]:
    """Register somebody, log them in, and return the tokens."""
    email = f"{uuid7()}@example.org"
    registered = ask(platform, "register", {"email": email, "password": PASSWORD, "full_name": "Rea Fresh"})
    assert registered.status_code == 201, registered.text
    return dict(ask(platform, "login", {"email": email, "password": PASSWORD}).json())


@pytest.mark.full
@pytest.mark.parametrize("platform", ["valkey"], indirect=True)
class TestOneRefreshToken:
    def test_has_one_successor_and_ends_its_session_when_it_is_replayed(
        self, platform: Platform, figures: Callable[[str], None]
    ) -> None:
        platform.start("web1", "web2")
        first, together = signed_in(platform)["refresh_token"], threading.Barrier(AT_ONCE)

        def refresh(turn: int) -> httpx.Response:
            together.wait()
            return ask(platform, "refresh", {"refresh_token": first}, web=f"web{turn % 2 + 1}")

        begun = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(refresh, range(AT_ONCE)))
        seconds = time.monotonic() - begun

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
        tokens = [answer.json()["access_token"] for answer in answers]
        assert {me(platform, tokens[turn], f"web{turn % 2 + 1}").status_code for turn in (0, 1)} == {200}

        def replayed() -> bool:
            return ask(platform, "refresh", {"refresh_token": first}).status_code == 401

        eventually(replayed, GRACE + 5, "a token that was used long ago is still good")
        # By the other web server, too, which knew the session well.
        refused = [
            me(platform, token, web).json()["code"] for token in tokens[:2] for web in ("web1", "web2")
        ]
        assert set(refused) == {"token_revoked"}
        platform.kill("web2")
        figures(
            f"F6: {AT_ONCE} refreshes of one token by two web servers in {seconds:.1f} s: one successor; replayed "
            "after the grace, the session ended for both at once"
        )
