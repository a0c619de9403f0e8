"""Archiving: a course takes no more learners and is found no more; those who are in it keep reading, and are told.

The request has closed the course already (`courses.request_archiving`). To tell its learners is no step: that listens
to `course.archived`, as do the doors of the classroom, which stay open to whoever is enrolled.
"""

from __future__ import annotations

from django.utils import timezone

from courses import services as courses
from enrollments.services import release_pending_enrollments
from smartcourse.workflows.definitions import Step, StepContext, define
from smartcourse.workflows.models import Run


def close_enrollment(context: StepContext) -> None:
    courses.close_enrollment(course_id=context.subject_id)


def reopen(context: StepContext) -> None:
    courses.reopen_course(course_id=context.subject_id)


def withdraw_from_search(context: StepContext) -> None:
    courses.withdraw_from_search(course_id=context.subject_id)


def mark_archived(context: StepContext) -> None:
    now = timezone.now()
    courses.mark_archived(course_id=context.subject_id, at=now)
    release_pending_enrollments(course_id=context.subject_id, reason="The course was archived.", at=now)


def archive_again(run: Run) -> Run:
    return courses.request_archiving(course_id=run.subject_id, by=run.requested_by_id) or run


# What is undone is undone by the first step, whichever failed: status, seats and search entry belong together.
# What nobody can undo (a fact, a place given back) comes last, in one transaction: either all of it, or nothing.
define(
    "archiving",
    Step("close_enrollment", close_enrollment, reopen),
    Step("withdraw_from_search", withdraw_from_search),
    Step("mark_archived", mark_archived),
    again=archive_again,
    about="courses.Course",
)
