"""Where a learner goes on: the courses under way, how much of each is done, and the lesson that comes next."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from enrollments.models import Enrollment, EnrollmentStatus
from progress.models import LessonProgress, LessonStatus
from progress.services.outline import OutlineLesson, outline_of

UNDER_WAY = (EnrollmentStatus.PENDING, EnrollmentStatus.ACTIVE)


@dataclass(frozen=True)
class UnderWay:
    """A course that a learner is in; `next_lesson` is None where the classroom is not open, or nothing is left."""

    enrollment: Enrollment
    lessons_total: int
    lessons_completed: int
    next_lesson: OutlineLesson | None
    last_accessed_at: datetime | None


@dataclass(frozen=True)
class _Visit:
    """What is known of a learner's last work on a lesson."""

    status: str
    at: datetime


def courses_under_way(*, student_id: UUID, limit: int) -> list[UnderWay]:
    """Return the courses that a learner has begun or is about to, the one last studied first, by two queries."""
    enrollments = list(
        Enrollment.objects.filter(student=student_id, status__in=UNDER_WAY)
        .select_related("course__current_publication", "progress")
        .defer("course__search_vector", "course__description")
        .order_by(F("progress__last_accessed_at").desc(nulls_last=True), "-pk")[:limit]
    )
    visits: defaultdict[UUID, dict[UUID, _Visit]] = defaultdict(dict)
    rows = LessonProgress.objects.filter(enrollment__in=[row.pk for row in enrollments])
    for enrollment_id, lesson_id, status, at in rows.values_list(
        "enrollment", "lesson_id", "status", "updated_at"
    ):
        visits[enrollment_id][lesson_id] = _Visit(status, at)
    return [_standing(enrollment, visits[enrollment.pk]) for enrollment in enrollments]


def _standing(enrollment: Enrollment, visits: dict[UUID, _Visit]) -> UnderWay:
    lessons = outline_of(enrollment.course).lessons
    left = [row for row in lessons if row.id not in visits or visits[row.id].status != LessonStatus.COMPLETED]
    progress = getattr(enrollment, "progress", None)
    return UnderWay(
        enrollment=enrollment,
        lessons_total=len(lessons),
        lessons_completed=len(lessons) - len(left),
        next_lesson=_next_of(left, visits) if enrollment.may_read else None,
        last_accessed_at=progress.last_accessed_at if progress else None,
    )


def _next_of(left: list[OutlineLesson], visits: dict[UUID, _Visit]) -> OutlineLesson | None:
    """Return the lesson that was opened last and not finished, else the first that is left."""
    opened = [row for row in left if row.id in visits and visits[row.id].status == LessonStatus.IN_PROGRESS]
    if opened:
        return max(opened, key=lambda row: visits[row.id].at)
    return left[0] if left else None
