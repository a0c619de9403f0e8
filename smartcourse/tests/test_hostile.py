"""No input ever yields a 500: every field of every body, and every word of every query, with what nobody would send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction

from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.matrix import BODIES, PUBLISHED, Row, rows_of
from smartcourse.tests.test_trespass import WITH_INPUT, input_of, view_of
from smartcourse.tests.world import World

pytestmark = pytest.mark.django_db

# As they stand in the body: JSON has ways to write what Python's own encoder would not.
VALUES = {
    "NUL": r'"\u0000"', "a lone surrogate": r'"\ud800"', "beyond any float": "1e400", "a large number": "1" + "0" * 30,
    "a negative": "-1", "a fraction": "0.5", "nothing": "null", "an empty text": '""', "true": "true", "a list": "[]",
    "NUL in a list": r'["\u0000"]', "NUL in an object": r'{"\u0000": "\u0000"}', "infinity inside": '{"a": [-1e400]}',
    "a surrogate inside": r'[{"\udfff": "\ud800"}]', "deep": "[" * 25 + "]" * 25, "long": json.dumps("x" * 100_000),
    "the end of time": '"9999-12-31T23:59:59-14:00"', "a mark of direction": r'"\u202e\ufeff"',
}  # fmt: skip
QUERIES = ("\x00", "1e9", "-1", "x" * 7_000, "\u202e", "ſ", "'\"%_\\", "9" * 30, "NaN", "[]", "0001-01-01")
# The schema is asked with such words by its own tests; drawing it takes seconds.
READS = [
    row
    for row in rows_of(PUBLISHED)
    if row.method == "GET" and "?" not in row.template and row.template != "schema"
]
EVERYWHERE = ("search", "page", "page_size", "cursor")


def permitted(row: Row, world: World) -> Any:
    return world.people[next((role for role, status in row.statuses.items() if status < 300), "AD")]


def bodies(row: Row, world: World) -> Iterator[tuple[str, str]]:
    """Yield (what it is, body): that of a permitted caller, with one field changed."""
    serializer = input_of(row)
    assert serializer is not None
    whole = json.loads(json.dumps(BODIES[row.name](world), default=str))
    for field in serializer().fields:
        others = {name: value for name, value in whole.items() if name != field}
        for what, value in VALUES.items():
            members = [f"{json.dumps(name)}: {json.dumps(other)}" for name, other in others.items()]
            yield f"{field}: {what}", "{" + ", ".join([*members, f"{json.dumps(field)}: {value}"]) + "}"


def is_list(row: Row) -> bool:
    return bool(getattr(view_of(row), "actions", {}).get("get") == "list")


JSON_ROWS = [
    row for row in WITH_INPUT if "application/json" in {p.media_type for p in view_of(row).cls.parser_classes}
]


@pytest.mark.full
class TestBodies:
    @pytest.mark.parametrize("row", JSON_ROWS, ids=str)
    def test_with_what_nobody_would_send_are_refused_or_done(
        self, row: Row, world: World, client_of: ClientOf
    ) -> None:
        client = client_of(permitted(row, world))
        client.raise_request_exception = False
        broken = {}
        for what, body in bodies(row, world):
            with transaction.atomic():
                answer = client.generic(
                    row.method, world.path(row.template), body.encode(), content_type="application/json"
                )
                transaction.set_rollback(True)
            if answer.status_code >= 500:
                broken[what] = answer.status_code
        assert broken == {}


@pytest.mark.full
class TestQueries:
    @pytest.mark.parametrize("row", READS, ids=str)
    def test_with_what_nobody_would_ask_are_refused_or_answered(
        self, row: Row, world: World, client_of: ClientOf
    ) -> None:
        client = client_of(permitted(row, world))
        client.raise_request_exception = False
        filters = getattr(view_of(row).cls, "filterset_class", None)
        # What reads one thing looks at no word of the query.
        names = {*EVERYWHERE, *filters.base_filters} if filters else EVERYWHERE if is_list(row) else ["page"]
        broken = {}
        for name in sorted(names):
            for value in QUERIES:
                answer = client.get(f"{world.path(row.template)}?{name}={quote(value)}")
                b"".join(answer.streaming_content if answer.streaming else ())
                if answer.status_code >= 500:
                    broken[f"{name}={value[:20]!r}"] = answer.status_code
        assert broken == {}
