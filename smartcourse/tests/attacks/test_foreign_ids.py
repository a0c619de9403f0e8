"""Every id in every address, swapped for another's: generated from the matrix, so that no new route goes without."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django_filters.filters import ModelChoiceFilter, UUIDFilter

from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.matrix import BODIES, PUBLISHED, Row, rows_of, send
from smartcourse.tests.test_trespass import view_of
from smartcourse.tests.world import World, add_belongings, add_learning, course_of

pytestmark = pytest.mark.django_db

ROWS = [row for row in rows_of(PUBLISHED) if "{" in row.template and "?" not in row.template]
# Whose ids are swapped, and whom that makes of them towards the foreign row: EN is no learner of another's course, IO
# not its instructor.
BECOMES = {"EN": "ST", "IO": "OI"}
# What is no row of anybody's: knowing the words is all that they ask for.
WORDS = {"code"}
# Rows of which everybody has but one, or which the name in the path says whose they are.
SAME_FOR_ALL = {"platform_hook", "user_AD"}


def names_in(row: Row) -> list[str]:
    return re.findall(r"{(\w+)}", row.template)


@pytest.fixture
def both(world: World) -> World:
    """The world, and beside it the same once more: a course of OI, with another learner who has all that EN has."""
    other = course_of(world.role("OI"), published=True)
    other.people = {
        **world.people,
        "EN": world.role("ST"),
        "OS": world.rows["newcomer"],
        "IO": world.role("OI"),
    }
    other.rows |= {"user_EN": world.role("ST"), "user_IO": world.role("OI")}
    add_learning(other)
    add_belongings(other)
    foreign = {f"other_{name}": row for name, row in other.rows.items()}
    words = {f"other_{name}": word for name, word in other.words.items()}
    return replace(world, rows=world.rows | foreign, words=world.words | words)


CASES = [
    pytest.param(row, name, role, id=f"{row}: {name} of another, by {role}")
    for row in ROWS
    for name in names_in(row)
    for role in BECOMES
    if row.statuses[role] < 400 and name not in WORDS | SAME_FOR_ALL
]


class TestEveryIdInAnAddress:
    @pytest.mark.parametrize(("row", "name", "role"), CASES)
    def test_of_another_opens_nothing(
        self, row: Row, name: str, role: str, both: World, client_of: ClientOf
    ) -> None:
        swapped = row.name.replace(f"{{{name}}}", f"{{other_{name}}}")
        body = BODIES[row.name](both) if row.name in BODIES else None
        status = send(client_of(both.people[role]), Row(swapped, {}), both, body).status_code
        # Under the wrong parent there is nothing, whoever asks; else it is what the matrix grants to a stranger.
        nested = len(names_in(row)) > 1
        allowed = {403, 404} if nested else {row.statuses[BECOMES[role]]}
        assert status in allowed

    def test_is_swapped_by_some_case(self, both: World) -> None:
        wanted = {name for row in ROWS for name in names_in(row)} - WORDS - SAME_FOR_ALL
        swapped = {str(case.values[1]) for case in CASES}
        # Who may not do a thing with an id of their own need not be tried with another's.
        never = {
            name
            for name in wanted
            if all(row.statuses[role] >= 400 for row in ROWS for role in BECOMES if name in names_in(row))
        }
        assert wanted - swapped == never
        missing = {name for name in swapped if f"other_{name}" not in both.rows | both.words}
        assert missing == set()


LISTS = [
    pytest.param(row, name, id=f"{row}?{name}")
    for row in rows_of(PUBLISHED)
    if row.method == "GET"
    and getattr(view_of(row), "actions", {}).get("get") == "list"
    and row.statuses["EN"] < 400
    for name, field in getattr(getattr(view_of(row).cls, "filterset_class", None), "base_filters", {}).items()
    if isinstance(field, UUIDFilter | ModelChoiceFilter)
]


class TestEveryIdInAFilter:
    def test_is_looked_at(self) -> None:
        assert LISTS

    @pytest.mark.parametrize(("row", "name"), LISTS)
    def test_shows_no_more_than_the_list_does(
        self, row: Row, name: str, both: World, client_of: ClientOf
    ) -> None:
        client = client_of(both.people["EN"])
        whole = ids_of(client.get(both.path(row.template)))
        for foreign in ("other_course", "other_user_IO", "other_enrollment", "other_user_EN"):
            answer = client.get(f"{both.path(row.template)}?{name}={both[foreign]}")
            assert answer.status_code == 400 or ids_of(answer) <= whole


def ids_of(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.content
    return {str(row["id"]) for row in answer.json()["results"]}
