"""The fact of a completion may be told again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from certificates.models import Certificate
from enrollments.events import EnrollmentCompleted
from enrollments.tests.factories import EnrollmentFactory
from smartcourse.events.models import OutboxFact
from smartcourse.events.outbox import publish
from smartcourse.events.redelivery import deliver_again
from smartcourse.workflows.models import Run

pytestmark = pytest.mark.django_db


class TestCompletionToldAgain:
    def test_makes_neither_another_certificate_nor_another_run(self, settle: Callable[[], None]) -> None:
        enrollment: Any = EnrollmentFactory(completed=True)
        fact = EnrollmentCompleted(
            enrollment_id=enrollment.pk, student_id=enrollment.student_id, course_id=enrollment.course_id,
            course_title=enrollment.course.title,
        )  # fmt: skip
        publish(fact)
        settle()
        assert deliver_again(OutboxFact.objects.filter(pk=fact.fact_id)) > 0
        settle()
        assert (Certificate.objects.count(), Run.objects.filter(process="certification").count()) == (1, 1)
        assert OutboxFact.objects.filter(type="certificate.issued").count() == 1
