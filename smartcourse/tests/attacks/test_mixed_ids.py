"""Ids in the wrong place: under another parent, of another kind, of nothing; generated from the matrix.

Ids of strangers are the matrix's own columns (ST, OI). Here are ids that the caller may use, only not in that place.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any
from uuid import uuid4

import pytest

from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.matrix import BODIES, PUBLISHED, Row, rows_of, send
from smartcourse.tests.world import World, course_of, learner
from smartcourse.webhooks.tests.factories import EndpointFactory, WebhookDeliveryFactory

pytestmark = pytest.mark.django_db
# What stands between the braces of a path, but is no id.
WORDS = {"code", "file_link"}
ROWS = [row for row in rows_of(PUBLISHED) if set(row.names()) - WORDS]


def nested_swaps() -> Iterator[tuple[Row, tuple[str, ...]]]:
    """Yield each address of several ids, with each choice of some of them."""
    for row in ROWS:
        ids = [name for name in row.names() if name not in WORDS]
        for count in range(1, len(ids)):
            yield from ((row, names) for names in combinations(ids, count))


def named(row: Row, names: tuple[str, ...]) -> str:
    return f"{row.name} [{', '.join(names)}]"


@pytest.fixture
def wider(world: World) -> World:
    """The world with a second of everything that is nested, of the same people: not rights but the place decides."""
    other = course_of(world.role("IO"), published=True)
    learner(world.people["EN"], other.course)
    hook = EndpointFactory(owner=world.role("EN"))
    rows = {**other.rows, "hook": hook, "hook_delivery": WebhookDeliveryFactory(endpoint=hook)}
    world.rows |= {f"other_{name}": row for name, row in rows.items()}
    return world


def told(client: Any, row: Row, template: str, world: World) -> int:
    body = BODIES[row.name](world) if row.name in BODIES else None
    return int(send(client, Row(f"{row.method} {template}", {}), world, body).status_code)


class TestUnderTheWrongParent:
    @pytest.mark.parametrize(
        ("row", "names"), [pytest.param(row, names, id=named(row, names)) for row, names in nested_swaps()]
    )
    def test_is_not_found_by_whoever_may_use_both(
        self, row: Row, names: tuple[str, ...], wider: World, client_of: ClientOf
    ) -> None:
        template = row.template
        for name in names:
            template = template.replace(f"{{{name}}}", f"{{other_{name}}}")
        for role, status in row.statuses.items():
            if status < 300:
                client = client_of(wider.people[role])
                assert told(client, row, template, wider) == 404, role


class TestIdOfNothing:
    @pytest.mark.parametrize("row", ROWS, ids=str)
    def test_is_not_found(self, row: Row, world: World, client_of: ClientOf) -> None:
        permitted = [role for role, status in row.statuses.items() if status < 400]
        for name in set(row.names()) - WORDS:
            # Nobody's, and one of another kind.
            kind = "course" if name.startswith("user_") else "newcomer"
            for foreign in (str(uuid4()), world[kind]):
                template = row.template.replace(f"{{{name}}}", foreign)
                for role in permitted:
                    assert told(client_of(world.people[role]), row, template, world) == 404, (role, name)


class TestSwaps:
    def test_reach_every_nested_address_of_the_api(self) -> None:
        nested = {row.action() for row in ROWS if len(set(row.names()) - WORDS) > 1}
        assert {row.action() for row, _ in nested_swaps()} == nested
        assert len(list(nested_swaps())) > 20
