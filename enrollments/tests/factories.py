"""Enrollments for tests."""

from __future__ import annotations

from typing import Any

import factory
from django.db.models import F
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.tests.factories import UserFactory
from courses.models import CourseSeats
from courses.tests.factories import CourseFactory
from enrollments.models import SEATED, Enrollment, EnrollmentStatus


class EnrollmentFactory(DjangoModelFactory[Enrollment]):
    """An active enrollment; `EnrollmentFactory(status="PENDING")`, `EnrollmentFactory(completed=True)`."""

    class Meta:
        model = Enrollment

    class Params:
        completed = factory.Trait(
            status=EnrollmentStatus.COMPLETED, percentage=100, completed_at=factory.LazyFunction(timezone.now)
        )

    student = factory.SubFactory(UserFactory)
    course = factory.SubFactory(CourseFactory, published=True)
    status = EnrollmentStatus.ACTIVE
    started_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Enrollment:
        enrollment: Enrollment = super()._create(model_class, *args, **kwargs)
        if enrollment.status in SEATED:
            CourseSeats.objects.filter(course=enrollment.course_id).update(taken=F("taken") + 1)
        return enrollment
