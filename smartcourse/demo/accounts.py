"""Who is in the demo: the accounts whose passwords are told, the people beside them, and where each learner stands."""

from __future__ import annotations

import hashlib
import hmac
import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from smartcourse.demo.errors import DemoContentError

WORDS_IN_A_PASSWORD = 4
DIGITS_IN_A_PASSWORD = 4
SHORTEST_SECRET = 16


class DemoRole(StrEnum):
    ADMIN = "admin"
    INSTRUCTOR = "instructor"
    STUDENT = "student"


class Standing(StrEnum):
    """How far a learner is in a course that she is enrolled in."""

    NOT_STARTED = "not_started"
    SOME_LESSONS = "some_lessons"
    NEARLY_DONE = "nearly_done"
    COMPLETED = "completed"

    def lessons_done(self, total: int) -> int:
        """How many of a course's `total` lessons, counted from the first, are done at this standing."""
        done = {
            Standing.NOT_STARTED: 0,
            Standing.SOME_LESSONS: max(1, total // 3),
            Standing.NEARLY_DONE: total - 1,
            Standing.COMPLETED: total,
        }
        return done[self]


@dataclass(frozen=True)
class DemoPerson:
    """Somebody in the demo; only a person who is `told` gets a password that can be used."""

    role: DemoRole
    email: str
    full_name: str
    told: bool


@dataclass(frozen=True)
class DemoAccount:
    """An account that whoever starts the demo may log in to. The password stays out of `repr`, and so out of logs."""

    role: DemoRole
    email: str
    password: str = field(repr=False)
    full_name: str


@dataclass(frozen=True)
class DemoStanding:
    """Where one learner stands in one course."""

    email: str
    course_slug: str
    standing: Standing


def demo_accounts(secret: str) -> list[DemoAccount]:
    """The accounts to tell: one of each role, with passwords that belong to this installation.

    The secret is the data folder's own, so that the same folder gives the same passwords at every start, and no two
    installations share one.

    Raises: ValueError when the secret has fewer than 16 characters.
    """
    return [
        DemoAccount(person.role, person.email, _password(secret, person.email), person.full_name)
        for person in read_demo_people()
        if person.told
    ]


def read_demo_people() -> list[DemoPerson]:
    """Everybody in the demo, in the order of `people.toml`.

    Raises: DemoContentError when a person is incomplete, or an address stands twice.
    """
    document = _load("people.toml")
    try:
        people = [
            DemoPerson(DemoRole(row["role"]), row["email"], row["full_name"], told=row["told"])
            for row in document["people"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DemoContentError(f"people.toml: {error!r}") from error
    if len({person.email for person in people}) < len(people):
        raise DemoContentError("people.toml: an address stands twice")
    return people


def read_demo_standings() -> list[DemoStanding]:
    """Where each learner stands, one row for each enrollment, in the order of `learners.toml`.

    Raises: DemoContentError when somebody is no student of `people.toml`, or a standing is unknown.
    """
    students = {person.email for person in read_demo_people() if person.role is DemoRole.STUDENT}
    document = _load("learners.toml")
    if strangers := document.keys() - students:
        raise DemoContentError(f"learners.toml: no students of people.toml: {', '.join(sorted(strangers))}")
    try:
        return [
            DemoStanding(email, slug, Standing(standing))
            for email, courses in document.items()
            for slug, standing in courses.items()
        ]
    except (AttributeError, ValueError) as error:
        raise DemoContentError(f"learners.toml: {error}") from error


def _password(secret: str, email: str) -> str:
    """Four words and four digits, as in `amber-otter-quilt-river-4821`: 49 bits, drawn by HMAC-SHA256 (RFC 2104)."""
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"the secret of demo passwords has at least {SHORTEST_SECRET} characters")
    digest = hmac.new(secret.encode(), email.encode(), hashlib.sha256).digest()
    rest, parts = int.from_bytes(digest), []
    for _ in range(WORDS_IN_A_PASSWORD):
        rest, index = divmod(rest, len(_words()))
        parts.append(_words()[index])
    parts.append(f"{rest % 10**DIGITS_IN_A_PASSWORD:0{DIGITS_IN_A_PASSWORD}d}")
    return "-".join(parts)


@cache
def _words() -> tuple[str, ...]:
    return tuple((files("smartcourse.demo") / "words.txt").read_text(encoding="utf-8").split())


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((files("smartcourse.demo") / name).read_text(encoding="utf-8"))
