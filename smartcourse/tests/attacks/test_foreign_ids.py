"""Every id of another's world where one's own belongs: in addresses, under other parents, in bodies, in queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from rest_framework import serializers

from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.matrix import BODIES, PUBLISHED, Body, Row, ask, rows_of, send
from smartcourse.tests.test_matrix import routes
from smartcourse.tests.test_trespass import input_of, view_of
from smartcourse.tests.world import World, build_world

# What somebody of one world is in the other one.
ABROAD = {"EN": "ST", "OS": "ST", "IO": "OI"}
ROWS = list(rows_of(PUBLISHED))
ADDRESSED = [row for row in ROWS if "{" in row.template]
NESTED = [row for row in ROWS if len(re.findall(r"{\w+}", row.template.split("?")[0])) > 1]
# What a permitted caller is told who sends one id of the other world in the body; the rest of it is right.
TOLD = {
    # The course is published, for everybody; staff may enroll anybody.
    ("POST enrollments", "course"): 201,
    ("POST enrollments for-another", "course"): 201,
    ("POST enrollments for-another", "newcomer"): 201,
    ("POST courses/{course}/materials", "lesson"): 422,
    ("POST courses/{course}/quizzes", "quiz_lesson"): 404,
    ("PUT courses/{course}/order", "module"): 422,
    ("PUT courses/{course}/order", "assignment_lesson"): 422,
    ("PUT courses/{course}/order", "quiz_lesson"): 422,
    ("PUT courses/{course}/order", "preview"): 422,
    ("PUT courses/{course}/order", "lesson"): 422,
    ("POST quizzes/{quiz}/submit", "attempt"): 404,
    # It earns nothing: see `test_trespass`.
    ("POST quizzes/{quiz}/submit", "question"): 200,
}
# Words that somebody might hope an endpoint takes for a filter.
HOPED_FOR = (
    "id", "pk", "user", "user_id", "owner", "owner_id", "student", "student_id", "instructor", "instructor_id",
    "recipient", "course", "course_id", "enrollment", "enrollment_id", "enrollment__student", "parent", "session",
)  # fmt: skip
# What belongs to one person, whose id nobody else is to be shown.
PRIVATE = (
    "enrollment", "attempt", "finished", "certificate", "notice", "hook", "platform_hook", "hook_delivery", "api_key",
    "run", "newcomer", "user_EN", "user_OS",
)  # fmt: skip


@dataclass
class Worlds:
    """Two whole worlds that have nobody and nothing in common."""

    here: World
    there: World

    def with_foreign(self, *names: str) -> World:
        """Return the world here, in which these names stand for what they are there."""
        rows = self.here.rows | {name: self.there.rows[name] for name in names if name in self.there.rows}
        words = self.here.words | {name: self.there.words[name] for name in names if name in self.there.words}
        return replace(self.here, rows=rows, words=words)


@pytest.fixture(scope="class")
def worlds(django_db_setup: None, django_db_blocker: Any) -> Iterator[Worlds]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield Worlds(build_world(), build_world())
        transaction.set_rollback(True)


def names_in(row: Row) -> list[str]:
    return re.findall(r"{(\w+)}", row.template)


@pytest.mark.django_db
class TestAddresses:
    def test_are_looked_at_wherever_a_route_takes_an_id(self) -> None:
        # The name of a role is no id.
        wanted = {(method, route) for method, route in routes() if "<" in route.replace("<role:", "")}
        assert {row.action() for row in ADDRESSED} == wanted
        assert {row.action() for row in NESTED} == {pair for pair in wanted if pair[1].count("<uuid:") > 1}

    @pytest.mark.parametrize("row", ADDRESSED, ids=str)
    def test_of_another_world_open_to_nobody_what_they_do_not_open_to_strangers(
        self, row: Row, worlds: Worlds, client_of: ClientOf
    ) -> None:
        mixed = worlds.with_foreign(*worlds.there.rows, *worlds.there.words)
        told = {role: ask(client_of(worlds.here.people[role]), row, mixed) for role in ABROAD}
        expected = {role: row.statuses[stranger] for role, stranger in ABROAD.items()}
        assert told == expected

    @pytest.mark.parametrize(
        ("row", "name"), [(row, name) for row in NESTED for name in names_in(row)], ids=str
    )
    def test_under_a_parent_that_is_not_theirs_are_not_found_by_those_who_may_see_both(
        self, row: Row, name: str, worlds: Worlds, client_of: ClientOf
    ) -> None:
        # Who may see everything is told of neither: so the address decides, and not the right.
        role = "EN" if "hook" in row.template else "AD"
        assert ask(client_of(worlds.here.people[role]), row, worlds.with_foreign(name)) == 404

    @pytest.mark.full
    @pytest.mark.parametrize("row", ADDRESSED, ids=str)
    def test_of_another_kind_are_not_found(self, row: Row, worlds: Worlds, client_of: ClientOf) -> None:
        client = client_of(worlds.here.people["AD"])
        one_of_each = {type(thing): (name, thing) for name, thing in worlds.here.rows.items()}
        found = {}
        for name in names_in(row):
            kind = type(worlds.here.rows.get(name))
            if name not in worlds.here.rows:
                continue
            for other, thing in one_of_each.values():
                if type(thing) is kind:
                    continue
                mixed = replace(worlds.here, rows=worlds.here.rows | {name: thing})
                status = ask(client, row, mixed)
                if status != 404:
                    found[name, other] = status
        assert found == {}


def bodies(row: Row, world: World) -> Body:
    """Return what a permitted caller sends, with every field in it that takes an id."""
    body = BODIES[row.name](world)
    return body | {"lesson_ids": [world["lesson"]]} if "file" in body else body


def id_fields(field: Any, path: str = "") -> Iterator[str]:
    """Yield the paths to the ids in what a serializer takes; a slug is a public name."""
    if isinstance(field, serializers.ListField | serializers.ListSerializer):
        yield from id_fields(field.child, path)
    elif hasattr(field, "fields"):
        for name, inner in field.fields.items():
            yield from id_fields(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(field, serializers.SlugRelatedField):
        return
    elif isinstance(field, serializers.UUIDField | serializers.RelatedField | serializers.ManyRelatedField):
        yield path


def ids_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, id) of every id in a body, be it a value or a member's name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if is_id(name):
                yield path, name
            else:
                yield from ids_in(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from ids_in(inner, path)
    elif is_id(value):
        yield path, value


def is_id(value: Any) -> bool:
    try:
        return bool(UUID(value))
    except (ValueError, TypeError, AttributeError):
        return False


def permitted(row: Row, world: World) -> Any:
    return world.people[next(role for role, status in row.statuses.items() if status < 300)]


WITH_BODY = [row for row in ROWS if row.name in BODIES]


@pytest.mark.django_db
class TestBodies:
    def test_are_looked_at_wherever_an_input_takes_an_id(self, worlds: Worlds) -> None:
        for row in WITH_BODY:
            taken = input_of(row)
            assert taken is not None
            sent = {path for path, _ in ids_in(bodies(row, worlds.here))}
            # `student_id` is sent in a row of its own; there the body has everything.
            assert set(id_fields(taken())) - sent <= (
                {"student_id"} if row.name == "POST enrollments" else set()
            )

    def test_are_all_in_the_table(self, worlds: Worlds) -> None:
        names = {thing: name for name, thing in ids_of(worlds.here).items()}
        sent = {
            (row.name, names[thing]) for row in WITH_BODY for _, thing in ids_in(bodies(row, worlds.here))
        }
        assert sent == set(TOLD)

    @pytest.mark.parametrize(("row", "name"), sorted(TOLD))
    def test_with_the_id_of_another_world_do_nothing_to_it(
        self, row: str, name: str, worlds: Worlds, client_of: ClientOf
    ) -> None:
        subject = next(each for each in WITH_BODY if each.name == row)
        # The address stays at home, and the body alone goes abroad.
        body = bodies(subject, worlds.with_foreign(name))
        answer = send(client_of(permitted(subject, worlds.here)), subject, worlds.here, body)
        assert answer.status_code == TOLD[row, name]


def ids_of(world: World) -> dict[str, str]:
    return {name: world[name] for name in world.rows if not name.startswith("user_")}


LISTS = [row for row in ROWS if row.method == "GET" and getattr(view_of(row), "actions", None)]


@pytest.mark.full
@pytest.mark.django_db
class TestQueries:
    @pytest.mark.parametrize("row", LISTS, ids=str)
    def test_show_nobody_what_is_private_in_another_world(
        self, row: Row, worlds: Worlds, client_of: ClientOf
    ) -> None:
        private = {name: worlds.there[name] for name in PRIVATE}
        shown = {}
        for role in ("EN", "IO"):
            client = client_of(worlds.here.people[role])
            for query in queries(row, [*private.values(), worlds.there["course"]]):
                joined = "&" if "?" in row.template else "?"
                answer = client.get(f"{worlds.here.path(row.template)}{joined}{query}")
                content = b"".join(answer.streaming_content) if answer.streaming else answer.content
                # A refusal may repeat what was asked.
                if answer.status_code == 200 and (seen := seen_in(content, private)):
                    shown[role, query] = seen
        assert shown == {}


def queries(row: Row, ids: list[str]) -> Iterator[str]:
    """Yield every filter by itself, that a refusal of one hides no other; then all words that there may be, at once."""
    filters = getattr(view_of(row).cls, "filterset_class", None)
    known = sorted(filters.base_filters) if filters else []
    for foreign in ids:
        yield from (f"{name}={foreign}" for name in known)
        yield "&".join(f"{name}={foreign}" for name in HOPED_FOR if name not in known)


def seen_in(content: bytes, private: dict[str, str]) -> set[str]:
    """Return what is seen in an answer; the links to other pages repeat the question."""
    text = re.sub(r"[?&][^\s\"]*", "", content.decode(errors="replace"))
    return {name for name, thing in private.items() if thing in text}
