"""Seats: taken and given back by conditional updates, so that no two people sit on one."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from courses.models import CourseSeats
from smartcourse.errors import RuleViolated


class CourseFull(RuleViolated):
    """No seat is left."""

    code = "course_full"
    message = "There is no seat left in this course."


class CapacityBelowTaken(RuleViolated):
    """More people are in the course than the new capacity would hold."""

    code = "capacity_below_enrolled"
    message = "More people are enrolled than this capacity would hold."


def take_seat(*, course_id: UUID) -> None:
    """Take a seat in the open transaction.

    Raises:
        CourseFull: none is left.
    """
    free = Q(capacity=None) | Q(taken__lt=F("capacity"))
    if not CourseSeats.objects.filter(free, course_id=course_id).update(taken=F("taken") + 1):
        raise CourseFull


def release_seat(*, course_id: UUID) -> None:
    """Give a seat back."""
    CourseSeats.objects.filter(course_id=course_id, taken__gt=0).update(taken=F("taken") - 1)


def change_capacity(*, course_id: UUID, capacity: int | None) -> None:
    """Set how many may be in the course; None is without limit.

    Raises:
        CapacityBelowTaken: more are in it already.
    """
    try:
        with transaction.atomic():
            CourseSeats.objects.filter(course_id=course_id).update(capacity=capacity)
    except IntegrityError as error:
        raise CapacityBelowTaken from error
