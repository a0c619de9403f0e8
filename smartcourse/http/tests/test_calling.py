"""Calling a service: tried again, and left alone after it failed too often; against real receivers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smartcourse.http import calling
from smartcourse.http.breaker import Breaker, Resting
from smartcourse.http.pinning import NoAnswer
from smartcourse.testing.receivers import Receiver, answering, receiving, silent


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def failing() -> None:
    raise NoAnswer


def a_bug() -> None:
    raise ZeroDivisionError


def attempt(breaker: Breaker, deed: Callable[[], None]) -> None:
    with breaker.call(NoAnswer):
        deed()


class TestBreaker:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def breaker(self, clock: Clock) -> Breaker:
        return Breaker(failures=3, within=5, rest=60, clock=clock)

    def fail(self, breaker: Breaker, times: int) -> None:
        for _ in range(times):
            with pytest.raises(NoAnswer):
                attempt(breaker, failing)

    def test_opens_at_the_third_failure_in_five_seconds(self, breaker: Breaker, clock: Clock) -> None:
        self.fail(breaker, 2)
        clock.now += 5
        self.fail(breaker, 1)
        with pytest.raises(Resting):
            attempt(breaker, failing)

    def test_stays_closed_where_they_are_further_apart(self, breaker: Breaker, clock: Clock) -> None:
        for _ in range(9):
            self.fail(breaker, 1)
            clock.now += 2.6
        assert not breaker.is_open

    def test_lets_one_try_after_a_minute_and_closes_when_it_is_answered(
        self, breaker: Breaker, clock: Clock
    ) -> None:
        self.fail(breaker, 3)
        clock.now += 59
        with pytest.raises(Resting):
            attempt(breaker, lambda: None)
        clock.now += 1

        def meanwhile() -> None:
            with pytest.raises(Resting):
                attempt(breaker, lambda: None)

        attempt(breaker, meanwhile)
        assert not breaker.is_open
        self.fail(breaker, 2)
        assert not breaker.is_open

    def test_rests_another_minute_when_that_one_fails(self, breaker: Breaker, clock: Clock) -> None:
        self.fail(breaker, 3)
        clock.now += 60
        self.fail(breaker, 1)
        clock.now += 59
        with pytest.raises(Resting):
            attempt(breaker, lambda: None)

    def test_takes_an_error_of_our_own_for_no_failure_of_theirs(self, breaker: Breaker, clock: Clock) -> None:
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                attempt(breaker, a_bug)
        assert not breaker.is_open


class TestCall:
    @pytest.fixture(autouse=True)
    def impatient(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.HTTP_TIMEOUT_SECONDS, settings.HTTP_RETRY_SECONDS = 0.3, (0.01, 0.02, 0.04)
        settings.HTTP_BREAKER_FAILURES = 20
        monkeypatch.setattr(calling, "_breakers", {})

    @pytest.fixture
    def receiver(self) -> Iterator[Receiver]:
        with receiving() as receiver:
            yield receiver

    def test_gives_back_whatever_was_answered(self, receiver: Receiver) -> None:
        receiver.behaviour = answering(404)
        assert calling.call("GET", receiver.url).status == 404

    @pytest.mark.parametrize(
        ("method", "headers", "tries"),
        [("GET", {}, 4), ("PUT", {}, 4), ("POST", {}, 1), ("POST", {"Idempotency-Key": "k"}, 4)],
    )
    def test_tries_again_what_may_be_repeated(
        self, receiver: Receiver, method: str, headers: dict[str, str], tries: int
    ) -> None:
        receiver.behaviour = answering(503)
        with pytest.raises(NoAnswer):
            calling.call(method, receiver.url, headers=headers)
        assert len(receiver.heard) == tries

    def test_makes_one_try_for_somebody_who_waits(self, receiver: Receiver) -> None:
        receiver.behaviour = answering(503)
        with pytest.raises(NoAnswer):
            calling.call("GET", receiver.url, patient=False)
        assert len(receiver.heard) == 1

    def test_does_not_wait_for_who_is_silent(self, receiver: Receiver) -> None:
        receiver.behaviour = silent
        begun = time.monotonic()
        with pytest.raises(NoAnswer):
            calling.call("GET", receiver.url, patient=False)
        assert time.monotonic() - begun < 2

    def test_leaves_alone_who_failed_three_times_and_nobody_else(
        self, receiver: Receiver, settings: Any
    ) -> None:
        settings.HTTP_BREAKER_FAILURES = 3
        receiver.behaviour = answering(502)
        with pytest.raises(Resting):
            calling.call("GET", receiver.url)
        assert len(receiver.heard) == 3
        with receiving() as another:
            assert calling.call("GET", another.url).status == 204
