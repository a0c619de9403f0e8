"""Reading, listing and dropping enrollments; the roster."""

from __future__ import annotations

from typing import Any

import pytest

from courses.models import CourseSeats
from courses.tests.factories import CourseFactory
from enrollments.models import Enrollment, EnrollmentStatus
from enrollments.tests.factories import EnrollmentFactory
from smartcourse.events.models import OutboxFact
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db


@pytest.fixture
def enrollment(student: Any, instructor: Any) -> Any:
    return EnrollmentFactory(student=student, course=CourseFactory(published=True, instructor=instructor))


def address(enrollment: Any) -> str:
    return f"/api/v1/enrollments/{enrollment.pk}"


WHO_MAY_READ = [
    ("student", 200), ("classmate", 404), ("stranger", 404), ("instructor", 200), ("rival", 404), ("staff", 200),
    ("administrator", 200),
]  # fmt: skip


class TestReading:
    @pytest.mark.parametrize(("who", "status"), WHO_MAY_READ)
    def test_is_for_its_own(
        self, who: str, status: int, enrollment: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        answer = client_of(request.getfixturevalue(who)).get(address(enrollment))
        assert answer.status_code == status
        if status == 200:
            assert (answer.data["id"], answer.data["percentage"]) == (str(enrollment.pk), 0)

    def test_refuses_anonymous_visitors(self, enrollment: Any, anonymous: Any) -> None:
        assert anonymous.get(address(enrollment)).status_code == 401

    def test_ends_with_the_role_of_instructor(
        self, enrollment: Any, instructor: Any, client_of: ClientOf
    ) -> None:
        instructor.groups.filter(name="instructor").get().user_set.remove(instructor)
        assert client_of(instructor).get(address(enrollment)).status_code == 404


class TestMyCourses:
    URL = "/api/v1/enrollments/my-courses"

    def test_lists_ones_own_newest_first(self, student: Any, enrollment: Any, client_of: ClientOf) -> None:
        newer: Any = EnrollmentFactory(student=student)
        EnrollmentFactory()
        answer = client_of(student).get(self.URL)
        assert [row["id"] for row in answer.data["results"]] == [str(newer.pk), str(enrollment.pk)]
        assert set(answer.data) == {"next", "previous", "results"}

    def test_does_not_list_the_learners_of_ones_courses(
        self, enrollment: Any, instructor: Any, client_of: ClientOf
    ) -> None:
        assert client_of(instructor).get(self.URL).data["results"] == []

    def test_filters_by_status(self, student: Any, enrollment: Any, client_of: ClientOf) -> None:
        assert client_of(student).get(f"{self.URL}?status=DROPPED").data["results"] == []
        assert client_of(student).get(f"{self.URL}?status=nonsense").status_code == 400

    def test_refuses_anonymous_visitors(self, anonymous: Any) -> None:
        assert anonymous.get(self.URL).status_code == 401

    @pytest.mark.parametrize("count", [1, 5])
    def test_asks_as_often_for_many_as_for_one(
        self, count: int, student: Any, client_of: ClientOf, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(count):
            EnrollmentFactory(student=student)
        client = client_of(student)
        with django_assert_max_num_queries(1):
            assert len(client.get(self.URL).data["results"]) == count


class TestDropping:
    def test_frees_the_seat_once(self, student: Any, enrollment: Any, client_of: ClientOf) -> None:
        client = client_of(student)
        assert client.delete(address(enrollment)).status_code == 204
        assert client.delete(address(enrollment)).status_code == 204
        enrollment.refresh_from_db()
        assert enrollment.status == EnrollmentStatus.DROPPED
        assert enrollment.ended_at is not None
        assert CourseSeats.objects.get(course=enrollment.course_id).taken == 0
        assert OutboxFact.objects.filter(type="enrollment.dropped").count() == 1
        assert enrollment.history.count() == 1

    @pytest.mark.parametrize("who", ["instructor", "staff", "administrator"])
    @pytest.mark.parametrize("how", ["body", "query"])
    def test_of_anothers_enrollment_needs_a_reason(
        self, who: str, how: str, enrollment: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        actor = request.getfixturevalue(who)
        client = client_of(actor)
        assert client.delete(address(enrollment)).status_code == 422
        if how == "body":
            answer = client.delete(address(enrollment), {"reason": "Asked to leave"})
        else:
            answer = client.delete(f"{address(enrollment)}?reason=Asked%20to%20leave")
        assert answer.status_code == 204
        change = enrollment.history.get()
        assert (change.by, change.reason, change.from_status) == (actor, "Asked to leave", "ACTIVE")

    @pytest.mark.parametrize(("who", "status"), [("classmate", 404), ("rival", 404)])
    def test_is_hidden_from(
        self, who: str, status: int, enrollment: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        assert client_of(request.getfixturevalue(who)).delete(address(enrollment)).status_code == status
        assert Enrollment.objects.get().status == EnrollmentStatus.ACTIVE

    def test_refuses_anonymous_visitors(self, enrollment: Any, anonymous: Any) -> None:
        assert anonymous.delete(address(enrollment)).status_code == 401

    def test_refuses_learners_what_they_completed(self, student: Any, client_of: ClientOf) -> None:
        enrollment: Any = EnrollmentFactory(student=student, completed=True)
        answer = client_of(student).delete(address(enrollment))
        assert (answer.status_code, answer.data["code"]) == (409, "invalid_state")

    @pytest.mark.parametrize(
        "body", [["reason"], {"because": "x"}, {"reason": "x" * 501}, {"reason": "\x00"}]
    )
    def test_refuses_what_it_does_not_understand(
        self, body: Any, student: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        assert client_of(student).delete(address(enrollment), body).status_code == 400


class TestRoster:
    @pytest.mark.parametrize(
        ("who", "status"),
        [
            ("student", 403),
            ("stranger", 403),
            ("instructor", 200),
            ("rival", 404),
            ("staff", 200),
            ("administrator", 200),
        ],
    )
    def test_is_for_those_who_teach_the_course(
        self, who: str, status: int, enrollment: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        client = client_of(request.getfixturevalue(who))
        answer = client.get(f"/api/v1/courses/{enrollment.course_id}/roster")
        assert answer.status_code == status
        if status == 200:
            assert [row["student"]["full_name"] for row in answer.data["results"]] == ["Sofia Student"]

    def test_refuses_anonymous_visitors(self, enrollment: Any, anonymous: Any) -> None:
        assert anonymous.get(f"/api/v1/courses/{enrollment.course_id}/roster").status_code == 401

    @pytest.mark.parametrize("count", [1, 5])
    def test_asks_as_often_for_many_as_for_one(
        self, count: int, instructor: Any, client_of: ClientOf, django_assert_max_num_queries: Any
    ) -> None:
        course: Any = CourseFactory(published=True, instructor=instructor)
        for _ in range(count):
            EnrollmentFactory(course=course)
        client = client_of(instructor)
        assert (
            client.get(f"/api/v1/courses/{course.pk}/roster").status_code == 200
        )  # roles are read once a person
        with django_assert_max_num_queries(2):
            assert len(client.get(f"/api/v1/courses/{course.pk}/roster").data["results"]) == count
