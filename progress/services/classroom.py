"""The classroom: who is let in, what a lesson's page holds, where the reader stopped, which files may be had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Least

from courses.models import Assignment, Course, CourseStatus, LessonType, Material, PublishedLesson, Quiz
from courses.services import LessonNotFound, material_link, published_lesson, rendered_content
from enrollments.models import Enrollment
from enrollments.services import reading_enrollment
from progress.models import CourseProgress, LessonProgress, LessonStatus, QuizAttempt, Submission
from progress.policies import can_read_classroom
from progress.services.completion import NotEnrolled
from progress.services.outline import OutlineModule, outline_of
from smartcourse.errors import NotAuthenticated, NotFound

# Reading on within a minute is the same visit: its moment is not written again.
SAME_VISIT = timedelta(minutes=1)
# What the column holds; seventy years of study.
MOST_SECONDS = 2_147_483_647


class MaterialNotFound(NotFound):
    message = "There is no such file."


class QuizBrief(TypedDict):
    """A lesson's quiz, and how the reader fared so far."""

    id: UUID
    pass_percentage: int
    attempt_limit: int | None
    attempts_made: int
    passed: bool


class AssignmentBrief(TypedDict):
    """A lesson's assignment, and what the reader handed in so far."""

    id: UUID
    points: float
    submissions_made: int


@dataclass(frozen=True)
class LessonPage:
    """A lesson as its reader sees it; `content` is sanitised HTML, or the address of a link, video or embed."""

    id: UUID
    title: str
    type: str
    content: str
    module: OutlineModule
    course: Course
    estimated_minutes: int
    status: str
    position_seconds: int
    materials: list[Material]
    quiz: QuizBrief | None
    assignment: AssignmentBrief | None
    previous_lesson_id: UUID | None
    next_lesson_id: UUID | None


def enter_lesson(*, lesson_id: UUID, user: Any) -> Enrollment:
    """Return the enrollment by which the user studies that lesson.

    Raises:
        LessonNotFound: no current publication has it.
        NotEnrolled: the user is not enrolled in its course, or not any more.
    """
    course = published_lesson(lesson_id=lesson_id).publication.course
    enrollment = reading_enrollment(student_id=user.pk, course_id=course.pk)
    if enrollment is None:
        raise NotEnrolled
    return enrollment


def read_lesson(*, lesson_id: UUID, user: Any, at: datetime) -> LessonPage:
    """Return the lesson's page; for a learner, note that it was opened.

    Raises:
        LessonNotFound: no current publication has it, or its course is archived and the user is no part of it.
        NotAuthenticated: nobody is signed in, and it is no free preview.
        NotEnrolled: the user is not enrolled in its course, or not any more.
    """
    lesson = published_lesson(lesson_id=lesson_id)
    enrollment = _admit(lesson, user)
    record = _note_reading(enrollment, lesson_id, at) if enrollment else None
    return _page(lesson, enrollment, record)


def _admit(lesson: PublishedLesson, user: Any) -> Enrollment | None:
    """Return the reader's enrollment; None for whoever reads without one."""
    course = lesson.publication.course
    enrollment = (
        reading_enrollment(student_id=user.pk, course_id=course.pk) if user.is_authenticated else None
    )
    if enrollment or can_read_classroom(user, course):
        return enrollment
    if course.status == CourseStatus.ARCHIVED:
        raise LessonNotFound
    if lesson.is_preview:
        return None
    raise NotEnrolled if user.is_authenticated else NotAuthenticated


def _note_reading(enrollment: Enrollment, lesson_id: UUID, at: datetime) -> LessonProgress:
    record = LessonProgress.objects.filter(enrollment=enrollment, lesson_id=lesson_id).first()
    if record is None:
        record = _open_record(enrollment.pk, lesson_id, at)
    visit = CourseProgress.objects.filter(pk=enrollment.pk)
    visit.filter(Q(last_accessed_at=None) | Q(last_accessed_at__lt=at - SAME_VISIT)).update(
        last_accessed_at=at
    )
    return record


def _open_record(enrollment_id: UUID, lesson_id: UUID, at: datetime) -> LessonProgress:
    record = LessonProgress(
        enrollment_id=enrollment_id, lesson_id=lesson_id, status=LessonStatus.IN_PROGRESS, first_read_at=at
    )
    # Two tabs may open it at once; one row is as good as the other.
    LessonProgress.objects.bulk_create([record], ignore_conflicts=True)
    return record


def _page(
    lesson: PublishedLesson, enrollment: Enrollment | None, record: LessonProgress | None
) -> LessonPage:
    course = lesson.publication.course
    outline = outline_of(course)
    module = outline.module_of(lesson.lesson_id)
    if module is None:
        raise LessonNotFound
    before, after = outline.neighbours_of(lesson.lesson_id)
    return LessonPage(
        id=lesson.lesson_id,
        title=lesson.title,
        type=lesson.type,
        content=rendered_content(lesson),
        module=module,
        course=course,
        estimated_minutes=lesson.estimated_minutes,
        status=record.status if record else LessonStatus.NOT_STARTED,
        position_seconds=record.position_seconds if record else 0,
        materials=list(lesson.materials.all()),
        quiz=_quiz_of(lesson, enrollment),
        assignment=_assignment_of(lesson, enrollment),
        previous_lesson_id=before,
        next_lesson_id=after,
    )


def _quiz_of(lesson: PublishedLesson, enrollment: Enrollment | None) -> QuizBrief | None:
    if lesson.type != LessonType.QUIZ:
        return None
    quiz = Quiz.objects.filter(lesson=lesson.lesson_id).first()
    if quiz is None:
        return None
    attempts = (
        QuizAttempt.objects.filter(enrollment=enrollment, quiz=quiz)
        if enrollment
        else QuizAttempt.objects.none()
    )
    verdicts = list(attempts.values_list("passed", flat=True))
    return QuizBrief(
        id=quiz.pk,
        pass_percentage=quiz.pass_percentage,
        attempt_limit=quiz.attempt_limit,
        attempts_made=len(verdicts),
        passed=True in verdicts,
    )


def _assignment_of(lesson: PublishedLesson, enrollment: Enrollment | None) -> AssignmentBrief | None:
    if lesson.type != LessonType.ASSIGNMENT:
        return None
    assignment = Assignment.objects.filter(lesson=lesson.lesson_id).first()
    if assignment is None:
        return None
    made = (
        Submission.objects.filter(enrollment=enrollment, assignment=assignment).count() if enrollment else 0
    )
    return AssignmentBrief(id=assignment.pk, points=float(assignment.points), submissions_made=made)


@transaction.atomic
def record_position(
    *, enrollment_id: UUID, lesson_id: UUID, position_seconds: int, seconds_spent: int = 0, at: datetime
) -> LessonProgress:
    """Note where the reader stopped (seconds from the start), and add the seconds spent since the last note."""
    _open_record(enrollment_id, lesson_id, at)
    rows = LessonProgress.objects.filter(enrollment=enrollment_id, lesson_id=lesson_id)
    rows.update(
        position_seconds=position_seconds,
        seconds_spent=Least(F("seconds_spent") + seconds_spent, MOST_SECONDS),
        updated_at=at,
    )
    CourseProgress.objects.filter(pk=enrollment_id).update(last_accessed_at=at)
    return rows.get()


def published_materials_of(course: Course) -> QuerySet[Material]:
    """Return the files that readers of the course may have: of published lessons, and of the course as a whole."""
    placed = PublishedLesson.materials.through.objects.filter(
        publishedlesson__publication=course.current_publication_id
    )
    whole_course = Q(lessons=None)
    return Material.objects.filter(
        Q(pk__in=placed.values("material")) | whole_course, course=course
    ).distinct()


def course_materials(*, enrollment: Enrollment, user: Any) -> QuerySet[Material]:
    """Return all files of the enrollment's course, for whoever may read it.

    Raises:
        NotEnrolled: the enrollment does not open the classroom (pending, suspended, dropped).
    """
    if not enrollment.may_read and not can_read_classroom(user, enrollment.course):
        raise NotEnrolled
    return published_materials_of(enrollment.course)


def download_link(*, material_id: UUID, user: Any) -> str:
    """Return a short-lived address of the file, for whoever may have it.

    Raises:
        MaterialNotFound: it is absent, or no part of what is published.
        NotAuthenticated: nobody is signed in, and no free preview holds it.
        NotEnrolled: the user is not enrolled in its course, or not any more.
    """
    material = Material.objects.select_related("course").filter(pk=material_id).first()
    if material is None:
        raise MaterialNotFound
    if not can_read_classroom(user, material.course):
        _admit_to_file(material, user)
    return material_link(material_id=material_id)


def _admit_to_file(material: Material, user: Any) -> None:
    course = material.course
    if course.current_publication_id is None:
        raise MaterialNotFound
    enrolled = user.is_authenticated and reading_enrollment(student_id=user.pk, course_id=course.pk)
    if not enrolled:
        if course.status == CourseStatus.ARCHIVED:
            raise MaterialNotFound
        if _is_previewed(material):
            return
        raise NotEnrolled if user.is_authenticated else NotAuthenticated
    if not published_materials_of(course).filter(pk=material.pk).exists():
        raise MaterialNotFound


def _is_previewed(material: Material) -> bool:
    return PublishedLesson.objects.filter(
        publication=material.course.current_publication_id, is_preview=True, materials=material
    ).exists()
