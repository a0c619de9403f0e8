"""A seat that was ordered: kept until it is paid, given back when it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models.functions import Now

from courses.models import CourseSeats
from courses.services import take_seat
from courses.tests.factories import CourseFactory
from enrollments.events import PaymentSucceeded
from enrollments.models import Enrollment, EnrollmentStatus
from smartcourse.db.identifiers import uuid7
from smartcourse.events.outbox import publish
from smartcourse.workflows.models import Run, RunStatus, StepRecord
from smartcourse.workflows.services import advance, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def ordered(student: Any) -> Enrollment:
    """An enrollment as an order leaves it: its seat is taken, its process waits for the money."""
    course = CourseFactory(published=True, capacity=1)
    enrollment = Enrollment.objects.create(student=student, course=course)
    take_seat(course_id=course.pk)
    run = start("enrollment", subject=enrollment.pk, key=str(enrollment.pk), data={"order_id": str(uuid7())})
    advance(run.pk)
    return enrollment


def seats_taken(enrollment: Enrollment) -> int:
    return CourseSeats.objects.get(course=enrollment.course_id).taken


class TestOrderedEnrollment:
    def test_waits_for_its_money(self, ordered: Enrollment) -> None:
        ordered.refresh_from_db()
        assert (ordered.status, seats_taken(ordered)) == (EnrollmentStatus.PENDING, 1)
        assert Run.objects.get().status == RunStatus.WAITING

    def test_goes_on_once_it_is_paid(self, ordered: Enrollment, settle: Callable[[], None]) -> None:
        publish(
            PaymentSucceeded(
                payment_id=uuid7(), order_id=uuid7(), enrollment_id=ordered.pk, student_id=ordered.student_id,
                course_id=ordered.course_id, amount=4900, currency="EUR",
            )
        )  # fmt: skip
        settle()
        ordered.refresh_from_db()
        assert ordered.status == EnrollmentStatus.ACTIVE
        assert "payment_id" in Run.objects.get(process="enrollment").data

    def test_gives_its_seat_back_when_the_money_does_not_come(self, ordered: Enrollment) -> None:
        StepRecord.objects.filter(name="await_payment").update(deadline_at=Now())
        advance(Run.objects.get().pk)
        ordered.refresh_from_db()
        assert (ordered.status, seats_taken(ordered)) == (EnrollmentStatus.DROPPED, 0)
        assert Run.objects.get().error_code == "timed_out"
