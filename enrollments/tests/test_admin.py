"""Enrollments in the back office."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from courses.models import CourseSeats
from courses.tests.factories import CourseFactory
from enrollments.models import EnrollmentStatus
from enrollments.tests.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db
URL = "/admin/enrollments/enrollment/"


@pytest.fixture
def enrollment(student: Any, instructor: Any) -> Any:
    return EnrollmentFactory(student=student, course=CourseFactory(published=True, instructor=instructor))


@pytest.fixture
def foreign(classmate: Any, rival: Any) -> Any:
    return EnrollmentFactory(student=classmate, course=CourseFactory(published=True, instructor=rival))


class TestPages:
    def test_show_staff_everything(
        self, enrollment: Any, foreign: Any, staff: Any, client: Client, django_assert_max_num_queries: Any
    ) -> None:
        client.force_login(staff)
        with django_assert_max_num_queries(8):
            listing = client.get(URL).content.decode()
        assert "Sofia Student" in listing
        assert "Carl Classmate" in listing
        with django_assert_max_num_queries(10):
            assert client.get(f"{URL}{enrollment.pk}/change/").status_code == 200
        assert "Carl Classmate" not in client.get(f"{URL}?q=sofia").content.decode()

    def test_show_instructors_their_own(
        self, enrollment: Any, foreign: Any, instructor: Any, client: Client
    ) -> None:
        client.force_login(instructor)
        listing = client.get(URL).content.decode()
        assert "Sofia Student" in listing
        assert "Carl Classmate" not in listing
        assert client.get(f"{URL}{foreign.pk}/change/").status_code == 302

    def test_refuse_students(self, student: Any, client: Client) -> None:
        client.force_login(student)
        assert client.get(URL).status_code == 302


class TestDropping:
    def drop(self, client: Client, enrollment: Any, reason: str) -> Any:
        body = {"action": "drop_selected", "_selected_action": [str(enrollment.pk)], "reason": reason}
        return client.post(URL, body, follow=True)

    def test_goes_through_the_service_with_a_reason(
        self, enrollment: Any, instructor: Any, client: Client
    ) -> None:
        client.force_login(instructor)
        answer = self.drop(client, enrollment, "Asked to leave")
        assert "1 enrollments are dropped" in answer.content.decode()
        change = enrollment.history.get()
        assert (change.by, change.reason, change.to_status) == (instructor, "Asked to leave", "DROPPED")
        assert CourseSeats.objects.get(course=enrollment.course_id).taken == 0
        assert "Asked to leave" in client.get(f"{URL}{enrollment.pk}/change/").content.decode()

    def test_says_that_a_reason_is_required(self, enrollment: Any, staff: Any, client: Client) -> None:
        client.force_login(staff)
        assert "A reason is required" in self.drop(client, enrollment, " ").content.decode()
        enrollment.refresh_from_db()
        assert enrollment.status == EnrollmentStatus.ACTIVE

    def test_does_not_reach_anothers_learners(self, foreign: Any, instructor: Any, client: Client) -> None:
        client.force_login(instructor)
        self.drop(client, foreign, "Spite")
        foreign.refresh_from_db()
        assert foreign.status == EnrollmentStatus.ACTIVE
