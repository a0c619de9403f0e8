"""Teachers, as learners see them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from accounts.models import InstructorProfile, Role
from accounts.tests.factories import UserFactory
from courses.api.instructors import NEWEST
from courses.tests.factories import CourseFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/instructors"
FIELDS = {"id", "full_name", "headline", "bio", "total_students", "courses"}


def teacher(courses: int) -> Any:
    user = UserFactory(role="instructor")
    InstructorProfile.objects.create(user=user)
    for _ in range(courses):
        CourseFactory(instructor=user, published=True)
    return user


class TestInstructors:
    def test_are_public(self, instructor: Any, student: Any, anonymous: Any) -> None:
        accounts.update_instructor_profile(user_id=instructor.pk, changes={"headline": "Knots"})
        [row] = anonymous.get(URL).json()["results"]
        assert set(row) == FIELDS
        assert anonymous.get(f"{URL}/{instructor.pk}").json() == row
        assert anonymous.get(f"{URL}/{student.pk}").status_code == 404

    def test_are_told_with_their_published_courses_alone(self, anonymous: Any) -> None:
        user = teacher(courses=1)
        CourseFactory(instructor=user)
        [course] = anonymous.get(f"{URL}/{user.pk}").json()["courses"]
        assert set(course) == {"id", "title", "slug"}

    def test_are_told_with_the_newest_of_very_many(self, anonymous: Any) -> None:
        user = teacher(courses=NEWEST + 1)
        told = anonymous.get(f"{URL}/{user.pk}").json()["courses"]
        newest = user.courses.order_by("-published_at", "-id")[:NEWEST]
        assert [course["id"] for course in told] == [str(course.pk) for course in newest]

    def test_cost_as_many_queries_however_many_they_are(self, anonymous: Any) -> None:
        counts = []
        for _ in range(3):
            teacher(courses=2)
            with CaptureQueriesContext(connection) as queries:
                anonymous.get(URL)
            counts.append(len(queries))
        assert len(set(counts)) == 1
        assert counts[0] <= 3

    def test_go_with_the_role(self, instructor: Any, administrator: Any, anonymous: Any) -> None:
        accounts.update_instructor_profile(user_id=instructor.pk, changes={})
        accounts.revoke_role(user_id=instructor.pk, role=Role.INSTRUCTOR, by=administrator)
        assert anonymous.get(URL).json()["results"] == []

    def test_describe_themselves(self, instructor: Any, student: Any, client_of: Any) -> None:
        url = f"{URL}/me"
        for _ in range(2):
            assert client_of(instructor).patch(url, {"bio": "Sailor."}).json()["bio"] == "Sailor."
        assert client_of(instructor).patch(url, {"total_students": 9}).status_code == 400
        assert [client_of(who).patch(url, {}).status_code for who in (None, student)] == [401, 403]
