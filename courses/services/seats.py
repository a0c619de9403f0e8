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


class EnrollmentClosed(RuleViolated):
    """The course takes no more learners."""

    code = "enrollment_closed"
    message = "This course takes no more learners."


class CapacityBelowTaken(RuleViolated):
    """More people are in the course than the new capacity would hold."""

    code = "capacity_below_enrolled"
    message = "More people are enrolled than this capacity would hold."


def take_seat(*, course_id: UUID) -> None:
    """Take a seat in the open transaction.

    Raises:
        CourseFull: none is left.
        EnrollmentClosed: the course was closed, be it since this request saw it open.
    """
    free = Q(capacity=None) | Q(taken__lt=F("capacity"))
    seats = CourseSeats.objects.filter(course_id=course_id)
    if not seats.filter(free, is_closed=False).update(taken=F("taken") + 1):
        raise EnrollmentClosed if seats.filter(is_closed=True).exists() else CourseFull


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


def close_seats(*, course_id: UUID) -> None:
    """Give out no more seats; whoever is about to take one waits for this row, and is refused."""
    CourseSeats.objects.filter(course_id=course_id).update(is_closed=True)


def open_seats(*, course_id: UUID) -> None:
    """Give out seats again."""
    CourseSeats.objects.filter(course_id=course_id).update(is_closed=False)
