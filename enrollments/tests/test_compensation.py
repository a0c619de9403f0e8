"""Enrolling that fails gives the seat back, says so, and may be tried again."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from courses.models import CourseSeats
from courses.tests.factories import CourseFactory
from enrollments.models import Enrollment, EnrollmentStatus
from enrollments.services import enroll
from smartcourse.events.models import OutboxFact
from smartcourse.processes import enrollment as process
from smartcourse.workflows.models import Run, RunStatus
from smartcourse.workflows.services import advance

pytestmark = pytest.mark.django_db


class TestStepThatKeepsFailing:
    @pytest.mark.parametrize("step", ["initialise_progress", "activate_enrollment"])
    def test_gives_the_seat_back_and_lets_the_learner_try_again(
        self, step: str, student: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        course = CourseFactory(published=True, capacity=1)

        def ask() -> Enrollment:
            enrollment, _ = enroll(
                student_id=student.pk, course_id=course.pk, by_id=student.pk, at=timezone.now()
            )
            for _ in range(len(settings.WORKFLOW_RETRY_SECONDS) + 1):
                advance(Run.objects.get(subject_id=enrollment.pk).pk)
            enrollment.refresh_from_db()
            return enrollment

        def fail(**_: Any) -> None:
            raise OSError("/var/secret/disk is full")

        with monkeypatch.context() as broken:
            broken.setattr(process, step, fail)
            failed = ask()
        assert Run.objects.get(subject_id=failed.pk).status == RunStatus.FAILED
        assert failed.status == EnrollmentStatus.DROPPED
        assert CourseSeats.objects.get(course=course).taken == 0
        reasons = list(failed.history.order_by("pk").values_list("to_status", "reason"))
        assert reasons[-1] == ("DROPPED", "Enrolling failed: Something went wrong on our side.")
        assert OutboxFact.objects.filter(type="enrollment.dropped").count() == 1

        again = ask()
        assert (again.pk != failed.pk, again.status) == (True, EnrollmentStatus.ACTIVE)
        assert CourseSeats.objects.get(course=course).taken == 1
