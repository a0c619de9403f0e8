"""Loading the demo: through the services, as people would make it, and the same data however often it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import services as accounts
from accounts.models import Role, User
from courses import services as courses
from courses.models import Category, Course, CourseStatus, Lesson, LessonType, PublishedLesson, QuestionKind
from enrollments import services as enrollments
from enrollments.models import Enrollment, EnrollmentStatus
from progress import services as progress
from progress.models import LessonProgress
from smartcourse.demo.accounts import (
    DemoAccount,
    DemoPerson,
    DemoStanding,
    read_demo_people,
    read_demo_standings,
)
from smartcourse.demo.errors import DemoContentError
from smartcourse.demo.reading import DemoCourse, DemoLesson, DemoModule, DemoQuestion, read_demo_courses
from smartcourse.workflows.models import Run, RunStatus
from smartcourse.workflows.services import drive

Report = Callable[[str], None]


@dataclass
class Seeded:
    """What a run of the seeding added; all zero when everything was there."""

    people: int = 0
    courses: int = 0
    enrollments: int = 0
    lessons_completed: int = 0


def seed_demo(
    *, accounts_told: list[DemoAccount], at: datetime, report: Report = lambda line: None
) -> Seeded:
    """Bring people, courses and learners' standings to what the demo says, one transaction a thing.

    What is there already is left as it is, so an interrupted run is finished by the next one.
    """
    seeded = Seeded()
    passwords = {account.email: account.password for account in accounts_told}
    for person in read_demo_people():
        seeded.people += _seed_person(person, password=passwords.get(person.email), at=at)
    report(f"{len(read_demo_people())} people")
    for course in read_demo_courses():
        seeded.courses += _seed_course(course)
        report(f"“{course.title}”{'' if course.is_published else ' (a draft)'}")
    for standing in read_demo_standings():
        _seed_standing(standing, seeded, at=at)
    report(f"{len(read_demo_standings())} enrollments, with learners at different points")
    return seeded


def _seed_person(person: DemoPerson, *, password: str | None, at: datetime) -> bool:
    """Register the person and give the role; a told password is set again, should the installation's secret be new."""
    existing = User.objects.filter(email=person.email).first()
    if existing is None:
        with transaction.atomic():
            user = accounts.register_user(
                email=person.email, password=password, full_name=person.full_name, at=at
            )
            if (role := Role(person.role)) != Role.STUDENT:
                accounts.grant_role(user_id=user.pk, role=role, by=None)
            accounts.mark_verified(user_id=user.pk, at=at)
        return True
    if password and not existing.check_password(password):
        accounts.set_password(user_id=existing.pk, password=password, at=at)
    return False


def _seed_course(demo: DemoCourse) -> bool:
    """Write the course and, where it is to be published, take its publication to the end.

    Raises:
        DemoContentError: it cannot be published.
    """
    course = Course.objects.filter(slug=demo.slug).first()
    created = course is None
    if course is None:
        with transaction.atomic():
            course = _write_course(demo)
    if demo.is_published and course.status != CourseStatus.PUBLISHED:
        with transaction.atomic():
            run = drive(courses.request_publication(course_id=course.pk, by=course.instructor_id))
        if run.status != RunStatus.COMPLETED:
            raise DemoContentError(
                f"“{course.title}” was not published: {run.error or 'somebody else is at it'}"
            )
    return created


def _write_course(demo: DemoCourse) -> Course:
    category, _ = Category.objects.get_or_create(
        slug=demo.category.slug, defaults={"name": demo.category.name}
    )
    course = courses.create_course(
        instructor=User.objects.get(email=demo.instructor),
        title=demo.title,
        slug=demo.slug,
        summary=demo.summary,
        description=demo.description,
        goals=list(demo.goals),
        category=category,
        level=demo.level,
        language=demo.language,
    )
    for module in demo.modules:
        _write_module(course, module)
    return course


def _write_module(course: Course, demo: DemoModule) -> None:
    module = courses.add_module(course_id=course.pk, title=demo.title)
    for lesson in demo.lessons:
        _write_lesson(module.pk, lesson)


def _write_lesson(module_id: UUID, demo: DemoLesson) -> None:
    lesson = courses.add_lesson(
        module_id=module_id,
        title=demo.title,
        type=LessonType(demo.type),
        content=demo.content,
        estimated_minutes=demo.estimated_minutes,
        is_preview=demo.is_preview,
        points=demo.points,
    )
    if demo.quiz:
        courses.define_quiz(
            lesson_id=lesson.pk,
            pass_percentage=demo.quiz.pass_percentage,
            attempt_limit=None,
            questions=[_question(question) for question in demo.quiz.questions],
        )


def _question(demo: DemoQuestion) -> dict[str, object]:
    return {
        "kind": demo.kind.value,
        "prompt": demo.prompt,
        "points": demo.points,
        "choices": demo.choices_as_json,
        "key": demo.answer_as_json,
        "explanation": demo.explanation,
    }


def _seed_standing(standing: DemoStanding, seeded: Seeded, *, at: datetime) -> None:
    """Enroll the learner and let her study up to where she stands."""
    student = User.objects.get(email=standing.email)
    course = Course.objects.get(slug=standing.course_slug)
    with transaction.atomic():
        enrollment, created = enrollments.enroll(
            student_id=student.pk, course_id=course.pk, by_id=student.pk, at=at
        )
        if enrollment.status == EnrollmentStatus.PENDING and enrollment.workflow_id:
            drive(Run.objects.get(pk=enrollment.workflow_id))
    seeded.enrollments += created
    lessons = courses.published_lessons_of(course_id=course.pk)
    wanted = lessons[: standing.standing.lessons_done(len(lessons))]
    done = set(
        LessonProgress.objects.filter(enrollment=enrollment).completed().values_list("lesson_id", flat=True)
    )
    for lesson in wanted:
        if lesson.lesson_id not in done:
            _study(enrollment, lesson, at=at)
            seeded.lessons_completed += 1


def _study(enrollment: Enrollment, lesson: PublishedLesson, *, at: datetime) -> None:
    """Do with a lesson what it asks for: read it, pass its quiz, hand in its assignment."""
    draft = Lesson.objects.select_related("quiz", "assignment").get(pk=lesson.lesson_id)
    if lesson.type == LessonType.QUIZ:
        questions = draft.quiz.questions.all()
        answers = {str(question.pk): _right_answer(question.kind, question.key) for question in questions}
        progress.submit_attempt(enrollment_id=enrollment.pk, quiz_id=draft.quiz.pk, answers=answers, at=at)
    elif lesson.type == LessonType.ASSIGNMENT:
        progress.submit_assignment(
            enrollment_id=enrollment.pk, assignment_id=draft.assignment.pk, text=HANDED_IN, at=at
        )
    else:
        progress.complete_lesson(enrollment_id=enrollment.pk, lesson_id=lesson.lesson_id, at=at)


def _right_answer(kind: str, key: Any) -> Any:
    """Return an answer that the question's key accepts."""
    if kind in (QuestionKind.SINGLE_CHOICE, QuestionKind.SHORT_TEXT):
        return key[0]
    return key["value"] if kind == QuestionKind.NUMERIC else key


HANDED_IN = "My notes and the finished exercise, as asked for in the lesson."
