"""Two ways through a list: numbered pages, and cursors that no later row disturbs."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from courses.models import Course, CourseSeats
from courses.tests.factories import CourseFactory
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db
COURSES = "/api/v1/courses"
MINE = "/api/v1/courses/mine"


def refused_field(answer: Any, status: int = 400) -> str:
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), (
        answer.content
    )
    [row] = answer.json()["errors"]
    return str(row["field"])


class TestPages:
    def test_are_linked_by_absolute_addresses(self, anonymous: Any) -> None:
        for _ in range(5):
            CourseFactory(published=True)
        first = anonymous.get(f"{COURSES}?page_size=2").json()
        assert (first["count"], first["previous"]) == (5, None)
        assert first["next"] == "http://testserver/api/v1/courses?page=2&page_size=2"
        second = anonymous.get(first["next"]).json()
        assert anonymous.get(second["previous"]).json() == first
        assert anonymous.get(second["next"]).json()["next"] is None

    @pytest.mark.parametrize("page", ["0", "x", "-1", "1.5", "", "٣", "9" * 5000])
    def test_of_no_number_are_refused(self, anonymous: Any, page: str) -> None:
        assert refused_field(anonymous.get(f"{COURSES}?page={page}")) == "page"

    def test_beyond_the_last_are_not_found(self, anonymous: Any) -> None:
        assert anonymous.get(f"{COURSES}?page=999999").status_code == 404

    @pytest.mark.parametrize("address", [COURSES, MINE])
    @pytest.mark.parametrize("size", ["1e9", "0", "-5", "many", "", "9" * 5000])
    def test_of_no_size_are_refused(
        self, client_of: ClientOf, instructor: Any, address: str, size: str
    ) -> None:
        answer = client_of(instructor).get(f"{address}?page_size={size}")
        assert refused_field(answer) == "page_size"

    def test_hold_a_hundred_at_most(self, client_of: ClientOf, instructor: Any) -> None:
        made = Course.objects.bulk_create(
            Course(instructor=instructor, title=f"Course {n}", slug=f"many-{n}") for n in range(101)
        )
        CourseSeats.objects.bulk_create(CourseSeats(course=course) for course in made)
        page = client_of(instructor).get(f"{MINE}?page_size=1000000000").json()
        assert len(page["results"]) == 100


class TestCursors:
    def test_walk_the_list_whatever_comes_meanwhile(self, client_of: ClientOf, instructor: Any) -> None:
        made = [CourseFactory(instructor=instructor, lessons=0) for _ in range(6)]
        client = client_of(instructor)
        seen, address, back = [], f"{MINE}?page_size=2", None
        while address:
            assert urlsplit(address).query
            page = client.get(address).json()
            assert set(page) == {"next", "previous", "results"}
            seen += [row["id"] for row in page["results"]]
            CourseFactory(instructor=instructor, lessons=0)
            address, back = page["next"], page["previous"]
            assert address is None or address.startswith("http://testserver/api/v1/courses/mine?")
        assert seen == [str(course.pk) for course in reversed(made)]
        assert [row["id"] for row in client.get(back).json()["results"]] == seen[2:4]

    @pytest.mark.parametrize(
        "cursor",
        ["x", "%%%", "", quote(b64encode(b"p=not-a-uuid").decode()), quote(b64encode(b"p=%00").decode()),
         quote(b64encode(b"o=-1&p=1").decode()), quote(b64encode(b"o=abc").decode()), "9" * 7000,
         quote(b64encode(b"p=1' OR 1=1 --").decode())],
    )  # fmt: skip
    def test_that_nobody_gave_are_refused(self, client_of: ClientOf, instructor: Any, cursor: str) -> None:
        CourseFactory(instructor=instructor)
        answer = client_of(instructor).get(f"{MINE}?cursor={cursor}")
        if cursor == "":
            # An empty one is the beginning, as in a form that was not filled in.
            assert answer.status_code == 200
        else:
            assert refused_field(answer, 422) == "cursor"

    def test_that_are_forged_show_nothing_but_ones_own(
        self, client_of: ClientOf, instructor: Any, rival: Any
    ) -> None:
        theirs = CourseFactory(instructor=rival)
        mine = CourseFactory(instructor=instructor)
        forged = quote(b64encode(b"p=ffffffff-ffff-7fff-bfff-ffffffffffff").decode())
        shown = client_of(instructor).get(f"{MINE}?cursor={forged}").json()["results"]
        assert [row["id"] for row in shown] == [str(mine.pk)]
        assert str(theirs.pk) not in str(shown)
