"""Many at once, on threads with connections of their own: F16 and F17 of the trust table."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from accounts.tests.factories import UserFactory
from courses.tests.factories import CourseFactory
from enrollments.models import Enrollment, EnrollmentStatus
from enrollments.tests.concurrency import at_once
from enrollments.tests.factories import EnrollmentFactory
from progress.models import CourseProgress, QuizAttempt
from progress.tests.factories import lesson_ids, with_quiz
from smartcourse.events.models import OutboxFact
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db(transaction=True)


class TestAHundredCompletions:
    def test_come_to_exactly_100_and_one_fact(self, client_of: ClientOf) -> None:
        course: Any = CourseFactory(published=True, modules=10, lessons=10)
        student: Any = UserFactory()
        EnrollmentFactory(student=student, course=course)

        def complete(lesson: Any) -> int:
            return client_of(student).post(f"/api/v1/lessons/{lesson}/complete").status_code

        assert set(at_once(complete, lesson_ids(course))) == {200}
        enrollment = Enrollment.objects.get()
        assert (enrollment.status, enrollment.percentage) == (EnrollmentStatus.COMPLETED, 100.0)
        assert CourseProgress.objects.get().percentage == 100.0
        told = Counter(OutboxFact.objects.values_list("type", flat=True))
        assert told == {"progress.updated": 100, "progress.module_completed": 10, "enrollment.completed": 1}


class TestTwentySubmissions:
    def test_store_as_many_attempts_as_are_allowed(self, client_of: ClientOf) -> None:
        course: Any = CourseFactory(published=True)
        student = UserFactory()
        quiz = with_quiz(course, attempt_limit=3)
        EnrollmentFactory(student=student, course=course)

        def submit(_: int) -> int:
            return client_of(student).post(f"/api/v1/quizzes/{quiz.pk}/submit", {"answers": {}}).status_code

        assert Counter(at_once(submit, range(20))) == {200: 3, 422: 17}
        assert sorted(QuizAttempt.objects.values_list("number", flat=True)) == [1, 2, 3]
