"""Nobody is told by the clock who has an account: measured, with the hashes that people have."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password

from accounts.models import User
from accounts.tests.factories import UserFactory
from smartcourse.settings import base

pytestmark = pytest.mark.django_db

# By turns, so that whatever else the machine does is in both. Alike is what no stranger could tell apart over
# a network, with a bound that noise does not reach: without the hash, or with a mail in between, it would be 20 or 5.
ROUNDS, ALIKE = 9, 1.5


def ratio(known: Callable[[int], Any], unknown: Callable[[int], Any], rounds: int) -> float:
    """Return how many times longer the slower of two requests takes, by their medians, and print these."""
    taken: dict[str, list[float]] = {"known": [], "unknown": []}
    for number in range(rounds + 1):
        for name, ask in (("known", known), ("unknown", unknown)):
            started = time.perf_counter()
            ask(number)
            taken[name].append(time.perf_counter() - started)
    # The first warms up.
    one, other = (median(times[1:]) for times in taken.values())
    print(f"known {one * 1000:.1f} ms, unknown {other * 1000:.1f} ms")  # noqa: T201 - a figure
    return max(one, other) / min(one, other)


@pytest.fixture
def members(settings: Any) -> list[Any]:
    """People with a password as it is hashed in production; one a try, or a lock would answer in their place."""
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
    hashed = make_password("the right passphrase")
    people = UserFactory.create_batch(ROUNDS + 1)
    User.objects.update(password=hashed)
    return people


class TestLogIn:
    def test_takes_as_long_for_an_account_that_there_is_not(self, members: list[Any], anonymous: Any) -> None:
        def ask(email: str) -> None:
            answer = anonymous.post("/api/v1/auth/login", {"email": email, "password": "a wrong passphrase"})
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")

        slower = ratio(
            lambda n: ask(members[n].email), lambda n: ask(f"nobody-{n}@example.org"), rounds=ROUNDS
        )
        assert slower < ALIKE


class TestReset:
    @pytest.mark.parametrize("path", ["auth/password/reset", "auth/verify-email/resend"])
    def test_takes_as_long_for_an_account_that_there_is_not(self, path: str, anonymous: Any) -> None:
        people = UserFactory.create_batch(41)
        answers = set()

        def ask(email: str) -> None:
            answer = anonymous.post(f"/api/v1/{path}", {"email": email})
            answers.add((answer.status_code, answer.content))

        slower = ratio(lambda n: ask(people[n].email), lambda n: ask(f"nobody-{n}@example.org"), rounds=40)
        assert slower < ALIKE
        assert len(answers) == 1
