"""Attempts at quizzes and submissions for assignments; the limit is counted under the enrollment's lock."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet

from courses.models import Assignment, Course, Quiz
from courses.services import grade_answers, published_lesson
from enrollments.models import Enrollment
from enrollments.services import reading_enrollment
from progress.models import QuizAttempt, Submission
from progress.policies import can_read_classroom, is_kept_in_the_dark
from progress.services.completion import NotEnrolled, finish_lesson, lock_standing
from smartcourse.errors import Conflict, NotFound, RuleViolated


class QuizNotFound(NotFound):
    message = "There is no such quiz."


class AssignmentNotFound(NotFound):
    message = "There is no such assignment."


class AttemptNotFound(NotFound):
    message = "There is no such attempt."


class AttemptAlreadySubmitted(Conflict):
    message = "This attempt was handed in already."


class AttemptLimitReached(RuleViolated):
    code = "attempt_limit_reached"
    message = "No attempts are left for this quiz."


def enter_quiz(*, quiz_id: UUID, user: Any) -> Enrollment:
    """Return the enrollment by which the user takes that quiz.

    Raises:
        QuizNotFound, LessonNotFound: there is none in a current publication, or it is another instructor's business.
        NotEnrolled: the user is not enrolled in its course, or not any more.
    """
    return _enrollment_in(_course_of_quiz(quiz_id), user, hidden=QuizNotFound)


def enter_assignment(*, assignment_id: UUID, user: Any) -> Enrollment:
    """Return the enrollment by which the user works on that assignment.

    Raises:
        AssignmentNotFound, LessonNotFound: there is none in a current publication, or it is another instructor's.
        NotEnrolled: the user is not enrolled in its course, or not any more.
    """
    return _enrollment_in(_course_of_assignment(assignment_id), user, hidden=AssignmentNotFound)


def attempts_at(*, quiz_id: UUID, user: Any) -> QuerySet[QuizAttempt]:
    """Return the attempts at the quiz that the user may read: one's own, all for the course's instructor and staff.

    Raises: as `enter_quiz`.
    """
    attempts = QuizAttempt.objects.select_related("quiz", "enrollment").filter(quiz=quiz_id)
    course = _course_of_quiz(quiz_id)
    if can_read_classroom(user, course):
        return attempts
    return attempts.filter(enrollment=_enrollment_in(course, user, hidden=QuizNotFound))


def submissions_for(*, assignment_id: UUID, user: Any) -> QuerySet[Submission]:
    """Return the submissions that the user may read: one's own, all for the course's instructor and staff.

    Raises: as `enter_assignment`.
    """
    submissions = Submission.objects.select_related("enrollment").filter(assignment=assignment_id)
    course = _course_of_assignment(assignment_id)
    if can_read_classroom(user, course):
        return submissions
    return submissions.filter(enrollment=_enrollment_in(course, user, hidden=AssignmentNotFound))


@transaction.atomic
def start_attempt(*, enrollment_id: UUID, quiz_id: UUID) -> tuple[QuizAttempt, bool]:
    """Begin an attempt and return it, and whether it is new: one begun and not handed in is gone on with.

    Raises:
        AttemptLimitReached: all attempts are used.
    """
    lock_standing(enrollment_id)
    if attempt := _open_attempt(enrollment_id, quiz_id):
        return attempt, False
    return _next_attempt(enrollment_id, quiz_id), True


@transaction.atomic
def submit_attempt(
    *,
    enrollment_id: UUID,
    quiz_id: UUID,
    answers: dict[str, Any],
    attempt_id: UUID | None = None,
    at: datetime,
) -> QuizAttempt:
    """Grade and close an attempt (the one named, else the open one, else a new one); passing completes the lesson.

    Raises:
        AttemptNotFound: the one named is not the learner's at this quiz.
        AttemptAlreadySubmitted: it was handed in before.
        AttemptLimitReached: none is open, and all are used.
        Invalid: the answers do not fit the questions.
    """
    standing = lock_standing(enrollment_id)
    if attempt_id:
        attempt = _attempt_named(attempt_id, enrollment_id, quiz_id)
    else:
        attempt = _open_attempt(enrollment_id, quiz_id) or _next_attempt(enrollment_id, quiz_id)
    graded = grade_answers(quiz_id=quiz_id, answers=answers)
    attempt.hand_in(
        answers,
        score=graded.score,
        maximum=graded.maximum,
        passed=graded.passed,
        results=graded.results,
        at=at,
    )
    if graded.passed:
        finish_lesson(standing, lesson_id=attempt.quiz.lesson_id, at=at)
    return attempt


@transaction.atomic
def submit_assignment(
    *, enrollment_id: UUID, assignment_id: UUID, text: str, by_id: UUID | None = None, at: datetime
) -> Submission:
    """Hand in a text for the assignment, which completes its lesson; handing in again adds a submission.

    `by_id` is who hands it in, the learner where nobody else is named.

    Raises:
        EnrollmentNotFound: there is none.
    """
    standing = lock_standing(enrollment_id)
    assignment = Assignment.objects.get(pk=assignment_id)
    mine = Submission.objects.filter(enrollment=enrollment_id, assignment=assignment_id)
    submission = Submission.objects.create(
        enrollment=standing.enrollment,
        assignment=assignment,
        number=(mine.aggregate(last=Max("number"))["last"] or 0) + 1,
        text=text,
        submitted_at=at,
        submitted_by_id=by_id or standing.enrollment.student_id,
    )
    finish_lesson(standing, lesson_id=assignment.lesson_id, at=at)
    return submission


def _course_of_quiz(quiz_id: UUID) -> Course:
    lesson_id = Quiz.objects.filter(pk=quiz_id).values_list("lesson_id", flat=True).first()
    if lesson_id is None:
        raise QuizNotFound
    return published_lesson(lesson_id=lesson_id).publication.course


def _course_of_assignment(assignment_id: UUID) -> Course:
    lesson_id = Assignment.objects.filter(pk=assignment_id).values_list("lesson_id", flat=True).first()
    if lesson_id is None:
        raise AssignmentNotFound
    return published_lesson(lesson_id=lesson_id).publication.course


def _enrollment_in(course: Course, user: Any, *, hidden: type[NotFound]) -> Enrollment:
    if enrollment := reading_enrollment(student_id=user.pk, course_id=course.pk):
        return enrollment
    raise hidden if is_kept_in_the_dark(user, course) else NotEnrolled


def _attempt_named(attempt_id: UUID, enrollment_id: UUID, quiz_id: UUID) -> QuizAttempt:
    mine = QuizAttempt.objects.select_related("quiz").filter(enrollment=enrollment_id, quiz=quiz_id)
    attempt: QuizAttempt | None = mine.filter(pk=attempt_id).first()
    if attempt is None:
        raise AttemptNotFound
    if attempt.submitted_at:
        raise AttemptAlreadySubmitted
    return attempt


def _open_attempt(enrollment_id: UUID, quiz_id: UUID) -> QuizAttempt | None:
    mine = QuizAttempt.objects.select_related("quiz").filter(enrollment=enrollment_id, quiz=quiz_id)
    attempt: QuizAttempt | None = mine.filter(submitted_at=None).first()
    return attempt


def _next_attempt(enrollment_id: UUID, quiz_id: UUID) -> QuizAttempt:
    quiz = Quiz.objects.get(pk=quiz_id)
    used = QuizAttempt.objects.filter(enrollment=enrollment_id, quiz=quiz_id).count()
    if quiz.attempt_limit is not None and used >= quiz.attempt_limit:
        raise AttemptLimitReached
    return QuizAttempt.objects.create(enrollment_id=enrollment_id, quiz=quiz, number=used + 1)
