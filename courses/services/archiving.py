"""Archiving: a course is closed with the request, and leaves search; those who are in it keep reading.

These are the steps of `smartcourse/processes/archiving.py`; each may be repeated. A course whose status is ARCHIVED and
that has no `archived_at` is on its way: closed to everybody who is not in it, and not told of yet.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from courses.events import CourseArchived
from courses.models import Course, CourseStatus
from courses.services.publishing import restore_search_index
from courses.services.seats import close_seats, open_seats
from smartcourse.events.outbox import publish
from smartcourse.workflows.models import Run
from smartcourse.workflows.services import start


def request_archiving(*, course_id: UUID, by: UUID | None) -> Run | None:
    """Close the course at once and start archiving it; return the process, None where it is archived already.

    From the commit on nobody enrolls, edits or publishes; asked again meanwhile, it is the process under way.
    """
    with transaction.atomic():
        if _locked(course_id).archived_at is not None:
            return None
        close_enrollment(course_id=course_id)
        return start("archiving", subject=course_id, key=str(course_id), requested_by=by)


def close_enrollment(*, course_id: UUID) -> None:
    """Take the course out of the catalogue and give out no more of its seats."""
    with transaction.atomic():
        course = _locked(course_id)
        close_seats(course_id=course_id)
        if course.status != CourseStatus.ARCHIVED:
            course.become(CourseStatus.ARCHIVED)


def withdraw_from_search(*, course_id: UUID) -> None:
    """Forget the words by which the course was found."""
    Course.objects.filter(pk=course_id).update(search_vector=None)


def mark_archived(*, course_id: UUID, at: datetime) -> None:
    """Note that the course is archived, and tell it once."""
    with transaction.atomic():
        course = _locked(course_id)
        if course.archived_at is None:
            course.archive(at=at)
            publish(CourseArchived(course_id=course_id, title=course.title))


def reopen_course(*, course_id: UUID) -> None:
    """Put the course back where it was before it was closed: published and findable, or a draft.

    A course that was being published is a draft again; if that process still runs, it goes on from there.
    """
    with transaction.atomic():
        course = _locked(course_id)
        if course.status != CourseStatus.ARCHIVED or course.archived_at is not None:
            return
        course.become(CourseStatus.PUBLISHED if course.current_publication_id else CourseStatus.DRAFT)
        open_seats(course_id=course_id)
        restore_search_index(course_id=course_id)


def _locked(course_id: UUID) -> Course:
    return Course.objects.select_for_update(of=("self",), no_key=True).get(pk=course_id)
