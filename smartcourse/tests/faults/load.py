"""Requests while something happens, and every answer that a client was given."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from smartcourse.tests.faults.platform import Platform

TIMEOUT = 20


@dataclass(frozen=True)
class Answer:
    """What a client was told, and when (by the monotonic clock): a status, or the error of a silent connection."""

    asked: str
    status: int
    seconds: float
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    at: float = 0.0

    @property
    def failed(self) -> bool:
        # All that is asked for may be had: a refusal is a failure, too.
        return not 200 <= self.status < 300


@dataclass
class Load:
    """Learners who enroll, and look at the catalogue between, on some threads, until the context ends.

    `pairs` are (token, course id); each is used once. One connection a request, as from a proxy in front. The
    catalogue is looked at with the token of `reader`, if any.
    """

    url: str
    pairs: Iterable[tuple[str, str]]
    threads: int = 3
    pause: float = 0.05
    reader: str = ""
    answers: list[Answer] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._done = threading.Event()
        self._pairs = iter(self.pairs)
        self._taking = threading.Lock()
        self._running = [threading.Thread(target=self._run, daemon=True) for _ in range(self.threads)]
        for thread in self._running:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Let every thread finish its request."""
        self._done.set()
        for thread in self._running:
            thread.join()

    @property
    def failed(self) -> list[Answer]:
        return [answer for answer in list(self.answers) if answer.failed]

    @property
    def enrolled(self) -> list[str]:
        """Return the ids of the enrollments that were acknowledged."""
        return [answer.body["id"] for answer in list(self.answers) if answer.status == 201]

    @property
    def slowest(self) -> float:
        return max(answer.seconds for answer in self.answers)

    @property
    def median(self) -> float:
        return statistics.median(answer.seconds for answer in self.answers)

    def _run(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=f"{self.url}/api/v1/", timeout=TIMEOUT, limits=limits) as client:
            for turn in itertools.count():
                if self._done.wait(self.pause):
                    return
                with self._taking:
                    pair = next(self._pairs, None)
                if pair is None or turn % 4 == 3:
                    self._ask(client, "GET", "courses", token=self.reader)
                if pair is not None:
                    token, course = pair
                    self._ask(client, "POST", "enrollments", token=token, json={"course_id": course})

    def _ask(self, client: httpx.Client, method: str, path: str, *, token: str = "", **more: Any) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        begun, told = time.monotonic(), {}
        try:
            answer = client.request(method, path, headers=headers, **more)
            status, body, told = answer.status_code, said(answer), dict(answer.headers)
        except httpx.TransportError as error:
            status, body = 0, repr(error)
        now = time.monotonic()
        self.answers.append(Answer(f"{method} {path}", status, now - begun, body, told, now))


def said(answer: httpx.Response) -> Any:
    """Return the body, as JSON where it is."""
    try:
        return answer.json()
    except ValueError:
        return answer.text


def enrollments_to_make(platform: Platform, *, students: int, courses: int) -> list[tuple[str, str]]:
    """Make people and courses, and return (token, course id) for each of them in each."""
    [teacher] = platform.do("make_people", count=1, role="instructor")
    made = platform.do("make_courses", teacher=teacher["id"], count=courses, published=True)
    people = platform.do("make_people", count=students)
    return [(person["token"], course["id"]) for course in made for person in people]


def base_url(platform: Platform, web: str = "web1") -> str:
    return f"http://127.0.0.1:{platform.ports[web]}"


def failures(answers: Iterable[Answer]) -> Iterator[str]:
    """Return what to show of answers that should not have been given."""
    yield from (f"{a.asked}: {a.status} after {a.seconds:.1f} s: {a.body}" for a in answers)
