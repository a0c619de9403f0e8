"""Completing lessons: counted under one lock an enrollment, so that the last one is the last one once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from courses.models import Assignment, Course, LessonType, Quiz
from courses.services import LessonNotFound
from enrollments.models import Enrollment, EnrollmentStatus
from enrollments.services import EnrollmentNotFound, complete_enrollment, record_progress
from progress.events import ModuleCompleted, ProgressUpdated
from progress.models import CourseProgress, LessonProgress, LessonStatus, QuizAttempt, Submission
from progress.services.outline import (
    LessonRecord,
    Outline,
    OutlineLesson,
    OutlineModule,
    ProgressTree,
    Records,
    draw_modules,
    is_completed,
    outline_of,
    share_of,
)
from smartcourse.errors import NotAllowed, RuleViolated
from smartcourse.events.outbox import publish


class NotEnrolled(NotAllowed):
    message = "Enroll in this course to do that."


class QuizNotPassed(RuleViolated):
    code = "quiz_not_passed"
    message = "Pass the quiz of this lesson to complete it."


class AssignmentNotSubmitted(RuleViolated):
    code = "assignment_not_submitted"
    message = "Hand in the assignment of this lesson to complete it."


@dataclass
class Standing:
    """An enrollment whose progress this transaction has locked; `records` are read after that, so they are whole."""

    progress: CourseProgress
    outline: Outline
    records: Records = field(default_factory=dict)

    @property
    def enrollment(self) -> Enrollment:
        return self.progress.enrollment

    def reached(self) -> float:
        """Return the percentage of the lessons completed, never less than was shown before."""
        if self.enrollment.status == EnrollmentStatus.COMPLETED:
            return 100.0
        shown = max(self.progress.percentage, self.enrollment.percentage)
        return max(shown, share_of(self.outline.lessons, self.records))

    def tree(self) -> ProgressTree:
        return ProgressTree(
            enrollment_id=self.enrollment.pk,
            course_id=self.enrollment.course_id,
            status=self.enrollment.status,
            percentage=self.reached(),
            last_accessed_at=self.progress.last_accessed_at,
            modules=draw_modules(self.outline, self.records),
        )


def initialise_progress(*, enrollment_id: UUID, at: datetime) -> None:
    """Lay out the progress of an enrollment, at 0 %; where it is laid out already, nothing changes."""
    CourseProgress.objects.bulk_create(
        [CourseProgress(enrollment_id=enrollment_id, created_at=at)], ignore_conflicts=True
    )


def progress_tree(*, enrollment_id: UUID) -> ProgressTree:
    """Return how far the enrollment is, lesson by lesson of the course's current publication.

    Raises:
        EnrollmentNotFound: there is none.
    """
    enrollment = (
        Enrollment.objects.select_related("course__current_publication", "progress")
        .defer("course__search_vector", "course__description")
        .filter(pk=enrollment_id)
        .first()
    )
    if enrollment is None:
        raise EnrollmentNotFound
    progress = getattr(enrollment, "progress", None) or CourseProgress(enrollment=enrollment)
    return Standing(progress, outline_of(enrollment.course), _records_of(enrollment_id)).tree()


@transaction.atomic
def complete_lesson(*, enrollment_id: UUID, lesson_id: UUID, at: datetime) -> ProgressTree:
    """Mark the lesson completed and return the enrollment's progress; the last one completes the enrollment.

    A lesson completed before stays as it is, and no second fact tells of it.

    Raises:
        EnrollmentNotFound: there is none.
        NotEnrolled: the enrollment does not open the classroom (pending, suspended, dropped).
        LessonNotFound: the course's current publication has no such lesson.
        QuizNotPassed: it is a quiz, and no attempt passed.
        AssignmentNotSubmitted: it is an assignment, and nothing was handed in.
    """
    standing = lock_standing(enrollment_id)
    if not standing.enrollment.may_read:
        raise NotEnrolled
    lesson = next((row for row in standing.outline.lessons if row.id == lesson_id), None)
    if lesson is None:
        raise LessonNotFound
    if not is_completed(standing.records, lesson_id):
        _refuse_what_is_not_done(enrollment_id, lesson)
    finish_lesson(standing, lesson_id=lesson_id, at=at)
    return standing.tree()


def lock_standing(enrollment_id: UUID) -> Standing:
    """Lock the enrollment's progress until the transaction ends, and return it with what it is made of.

    Raises:
        EnrollmentNotFound: there is none.
    """
    rows = CourseProgress.objects.with_outline().select_for_update(of=("self",)).filter(pk=enrollment_id)
    progress = rows.first()
    if progress is None:
        if not Enrollment.objects.filter(pk=enrollment_id).exists():
            raise EnrollmentNotFound
        CourseProgress.objects.bulk_create(
            [CourseProgress(enrollment_id=enrollment_id)], ignore_conflicts=True
        )
        progress = rows.get()
    return Standing(progress, outline_of(progress.enrollment.course), _records_of(enrollment_id))


def finish_lesson(standing: Standing, *, lesson_id: UUID, at: datetime) -> None:
    """Complete a lesson of a locked standing, whatever the lesson asks for, and set down what follows of it."""
    module = standing.outline.module_of(lesson_id)
    news = not is_completed(standing.records, lesson_id)
    if news:
        _write_completion(standing, lesson_id, at)
    if news or standing.reached() != standing.progress.percentage:
        _settle(standing, at)
    if news and module:
        _publish_completion(standing, lesson_id, module)
    _complete_when_all_is_done(standing, at)


@transaction.atomic
def recompute_progress(*, enrollment_id: UUID, at: datetime) -> ProgressTree:
    """Set the percentage to what the lessons say, be it less than was shown; a completed enrollment stays at 100.

    Raises:
        EnrollmentNotFound: there is none.
    """
    standing = lock_standing(enrollment_id)
    standing.progress.percentage = standing.enrollment.percentage = 0.0
    standing.progress.stand_at(standing.reached())
    record_progress(enrollment_id=enrollment_id, percentage=standing.progress.percentage)
    _complete_when_all_is_done(standing, at)
    return standing.tree()


@transaction.atomic
def complete_where_nothing_is_left(*, course_id: UUID, at: datetime) -> int:
    """Complete the enrollments whose last open lesson a new publication has left out; return how many."""
    course = Course.objects.select_related("current_publication").get(pk=course_id)
    lessons = [lesson.id for lesson in outline_of(course).lessons]
    if not lessons:
        return 0
    done = Q(lessons_progress__status=LessonStatus.COMPLETED, lessons_progress__lesson_id__in=lessons)
    waiting = (
        Enrollment.objects.filter(course=course_id, status=EnrollmentStatus.ACTIVE)
        .annotate(done=Count("lessons_progress", filter=done))
        .filter(done=len(lessons))
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    for enrollment_id in (ids := list(waiting)):
        recompute_progress(enrollment_id=enrollment_id, at=at)
    return len(ids)


def _records_of(enrollment_id: UUID) -> Records:
    rows = LessonProgress.objects.filter(enrollment=enrollment_id)
    return {
        lesson_id: LessonRecord(status, completed_at)
        for lesson_id, status, completed_at in rows.values_list("lesson_id", "status", "completed_at")
    }


def _refuse_what_is_not_done(enrollment_id: UUID, lesson: OutlineLesson) -> None:
    """Raise where the lesson has a quiz not passed, or an assignment not handed in.

    A quiz or assignment lesson that was imported without its definition is read like a text.
    """
    if lesson.type == LessonType.QUIZ and not _quiz_is_passed(enrollment_id, lesson.id):
        raise QuizNotPassed
    if lesson.type == LessonType.ASSIGNMENT and not _assignment_is_submitted(enrollment_id, lesson.id):
        raise AssignmentNotSubmitted


def _quiz_is_passed(enrollment_id: UUID, lesson_id: UUID) -> bool:
    passed = QuizAttempt.objects.filter(enrollment=enrollment_id, quiz__lesson=lesson_id, passed=True)
    return passed.exists() or not Quiz.objects.filter(lesson=lesson_id).exists()


def _assignment_is_submitted(enrollment_id: UUID, lesson_id: UUID) -> bool:
    submitted = Submission.objects.filter(enrollment=enrollment_id, assignment__lesson=lesson_id)
    return submitted.exists() or not Assignment.objects.filter(lesson=lesson_id).exists()


def _write_completion(standing: Standing, lesson_id: UUID, at: datetime) -> None:
    # An upsert: reading the lesson writes its row without our lock.
    LessonProgress.objects.bulk_create(
        [
            LessonProgress(
                enrollment=standing.enrollment, lesson_id=lesson_id, status=LessonStatus.COMPLETED,
                first_read_at=at, completed_at=at,
            )
        ],
        update_conflicts=True,
        unique_fields=["enrollment", "lesson_id"],
        update_fields=["status", "completed_at", "updated_at"],
    )  # fmt: skip
    standing.records[lesson_id] = LessonRecord(LessonStatus.COMPLETED, at)


def _settle(standing: Standing, at: datetime) -> None:
    """Set the percentage down here and in the enrollment."""
    reached = standing.reached()
    standing.progress.stand_at(reached, at=at)
    if reached != standing.enrollment.percentage:
        record_progress(enrollment_id=standing.enrollment.pk, percentage=reached)
        standing.enrollment.percentage = reached


def _publish_completion(standing: Standing, lesson_id: UUID, module: OutlineModule) -> None:
    enrollment = standing.enrollment
    publish(
        ProgressUpdated(
            enrollment_id=enrollment.pk,
            student_id=enrollment.student_id,
            course_id=enrollment.course_id,
            lesson_id=lesson_id,
            percentage=standing.progress.percentage,
        )
    )
    if all(is_completed(standing.records, lesson.id) for lesson in module.lessons):
        publish(
            ModuleCompleted(
                enrollment_id=enrollment.pk,
                student_id=enrollment.student_id,
                course_id=enrollment.course_id,
                module_id=module.id,
                module_title=module.title,
                course_title=enrollment.course.title,
            )
        )


def _complete_when_all_is_done(standing: Standing, at: datetime) -> None:
    lessons = standing.outline.lessons
    if standing.enrollment.status != EnrollmentStatus.ACTIVE or not lessons:
        return
    if all(is_completed(standing.records, lesson.id) for lesson in lessons):
        standing.progress.enrollment = complete_enrollment(enrollment_id=standing.enrollment.pk, at=at)
