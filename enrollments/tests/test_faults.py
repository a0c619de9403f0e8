"""Many at once, on threads with connections of their own: F1, F2 and F5 of the trust table."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from accounts.tests.factories import UserFactory
from courses.models import CourseSeats
from courses.services import CourseFull
from courses.tests.factories import CourseFactory
from enrollments import services
from enrollments.models import Enrollment
from enrollments.tests.concurrency import at_once
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db(transaction=True)


class TestFiftySeats:
    def test_are_taken_by_fifty_of_two_hundred(self, client_of: ClientOf) -> None:
        course: Any = CourseFactory(published=True, capacity=50)
        students = [UserFactory() for _ in range(200)]

        def enroll(student: Any) -> tuple[int, str]:
            answer = client_of(student).post("/api/v1/enrollments", {"course_id": str(course.pk)})
            return answer.status_code, answer.data.get("code", "")

        assert Counter(at_once(enroll, students)) == {(201, ""): 50, (422, "course_full"): 150}
        assert Enrollment.objects.seated().count() == 50
        assert CourseSeats.objects.get(course=course).taken == 50


class TestOneStudent:
    def test_gets_one_enrollment_out_of_fifty_requests(self, client_of: ClientOf) -> None:
        course: Any = CourseFactory(published=True, capacity=3)
        student = UserFactory()

        def enroll(_: int) -> tuple[int, str]:
            answer = client_of(student).post("/api/v1/enrollments", {"course_id": str(course.pk)})
            return answer.status_code, answer.data["id"]

        answers = at_once(enroll, range(50))
        enrollment = Enrollment.objects.get()
        assert Counter(answers) == {(201, str(enrollment.pk)): 1, (200, str(enrollment.pk)): 49}
        assert CourseSeats.objects.get(course=course).taken == 1
        assert enrollment.history.count() == 1


@pytest.mark.full
class TestComingAndGoing:
    def test_keeps_the_counter_equal_to_the_rows(self) -> None:
        course: Any = CourseFactory(published=True, capacity=3)
        students = [UserFactory().pk for _ in range(10)]
        dice = random.Random(5)
        deeds = [(dice.choice(students), dice.random() < 0.5) for _ in range(500)]

        def come_or_go(deed: tuple[Any, bool]) -> str:
            student_id, coming = deed
            if not coming:
                for enrollment in Enrollment.objects.live().filter(student=student_id):
                    services.drop_enrollment(enrollment_id=enrollment.pk, by_id=student_id, at=timezone.now())
                return "gone"
            try:
                services.enroll(
                    student_id=student_id, course_id=course.pk, by_id=student_id, at=timezone.now()
                )
            except CourseFull:
                return "full"
            return "in"

        for start in range(0, 500, 100):
            outcomes = set(at_once(come_or_go, deeds[start : start + 100]))
            assert outcomes == {"gone", "full", "in"}
            taken = CourseSeats.objects.get(course=course).taken
            assert taken == Enrollment.objects.seated().count() <= 3
