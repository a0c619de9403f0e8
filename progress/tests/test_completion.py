"""Completing lessons, and the percentages that follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from courses.events import CoursePublished
from courses.models import Lesson, Module
from courses.services import LessonNotFound
from courses.tests.factories import CourseFactory, LessonFactory, freeze
from enrollments.models import Enrollment, EnrollmentStatus
from enrollments.tests.factories import EnrollmentFactory
from progress import services
from progress.models import LessonProgress
from progress.services.outline import share
from progress.tests.factories import lesson_ids, with_assignment, with_quiz
from smartcourse.db.identifiers import uuid7
from smartcourse.events.models import OutboxFact
from smartcourse.events.outbox import publish
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db


@pytest.fixture
def course(instructor: Any) -> Any:
    return CourseFactory(published=True, modules=2, lessons=2, instructor=instructor)


@pytest.fixture
def enrollment(student: Any, course: Any) -> Any:
    enrollment: Any = EnrollmentFactory(student=student, course=course)
    services.initialise_progress(enrollment_id=enrollment.pk, at=timezone.now())
    return enrollment


def address(lesson_id: Any) -> str:
    return f"/api/v1/lessons/{lesson_id}/complete"


def facts(type_: str) -> list[Any]:
    return [fact.payload for fact in OutboxFact.objects.filter(type=type_).order_by("position")]


class TestComplete:
    def test_answers_with_the_progress_of_the_enrollment(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        lessons = lesson_ids(course)
        answer = client_of(student).post(address(lessons[0]))
        assert answer.status_code == 200, answer.data
        tree = answer.json()
        assert (tree["enrollment_id"], tree["course_id"]) == (str(enrollment.pk), str(course.pk))
        assert (tree["status"], tree["percentage"]) == ("ACTIVE", 25.0)
        assert tree["last_accessed_at"] is not None
        first, second = tree["modules"]
        assert (first["title"], first["percentage"], second["percentage"]) == ("Module 1", 50.0, 0.0)
        assert [row["status"] for row in first["lessons"]] == ["COMPLETED", "NOT_STARTED"]
        assert set(first["lessons"][0]) == {"id", "title", "type", "status", "completed_at"}
        enrollment.refresh_from_db()
        assert enrollment.percentage == 25.0
        assert facts("progress.updated")[0]["percentage"] == 25.0
        assert client_of(student).get(f"/api/v1/enrollments/{enrollment.pk}/progress").json() == tree

    def test_answers_the_same_again_and_tells_nothing_new(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        lesson = lesson_ids(course)[0]
        client = client_of(student)
        assert client.post(address(lesson)).json() == client.post(address(lesson)).json()
        assert len(facts("progress.updated")) == 1
        assert LessonProgress.objects.count() == 1

    def test_completes_the_module_and_the_enrollment_with_their_last_lessons(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        client = client_of(student)
        for lesson in lesson_ids(course):
            tree = client.post(address(lesson)).json()
        assert (tree["status"], tree["percentage"]) == ("COMPLETED", 100.0)
        assert [fact["module_title"] for fact in facts("progress.module_completed")] == [
            "Module 1",
            "Module 2",
        ]
        assert len(facts("enrollment.completed")) == 1
        enrollment.refresh_from_db()
        assert (enrollment.status, enrollment.percentage) == (EnrollmentStatus.COMPLETED, 100.0)
        assert enrollment.completed_at is not None

    def test_keeps_what_reading_began(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        lesson = lesson_ids(course)[0]
        client_of(student).get(f"/api/v1/lessons/{lesson}")
        opened = LessonProgress.objects.get().first_read_at
        client_of(student).post(address(lesson))
        record = LessonProgress.objects.get()
        assert (record.status, record.first_read_at) == ("COMPLETED", opened)

    @pytest.mark.parametrize(
        ("who", "status"),
        [("stranger", 403), ("instructor", 403), ("rival", 403), ("staff", 403), ("administrator", 403)],
    )
    def test_is_for_the_enrolled(
        self,
        who: str,
        status: int,
        course: Any,
        enrollment: Any,
        client_of: ClientOf,
        request: pytest.FixtureRequest,
    ) -> None:
        answer = client_of(request.getfixturevalue(who)).post(address(lesson_ids(course)[0]))
        assert (answer.status_code, answer.data["code"]) == (status, "insufficient_permissions")

    def test_refuses_anonymous_visitors(self, course: Any, anonymous: Any) -> None:
        assert anonymous.post(address(lesson_ids(course)[0])).status_code == 401

    @pytest.mark.parametrize("state", ["PENDING", "SUSPENDED", "DROPPED", "EXPIRED"])
    def test_is_closed_to_an_enrollment_that_is(
        self, state: str, student: Any, course: Any, client_of: ClientOf
    ) -> None:
        enrollment: Any = EnrollmentFactory(student=student, course=course, status=state)
        lesson = lesson_ids(course)[0]
        assert client_of(student).post(address(lesson)).status_code == 403
        with pytest.raises(services.NotEnrolled):
            services.complete_lesson(enrollment_id=enrollment.pk, lesson_id=lesson, at=timezone.now())

    def test_does_not_find_what_is_not_published(
        self, student: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        draft: Any = LessonFactory(module=Module.objects.first(), position=9)
        assert client_of(student).post(address(draft.pk)).status_code == 404
        assert client_of(student).post(address(uuid7())).status_code == 404

    def test_does_not_find_a_lesson_of_another_course(self, enrollment: Any) -> None:
        other: Any = CourseFactory(published=True)
        foreign = lesson_ids(other)[0]
        with pytest.raises(LessonNotFound):
            services.complete_lesson(enrollment_id=enrollment.pk, lesson_id=foreign, at=timezone.now())

    def test_refuses_a_quiz_that_was_not_passed(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        quiz = with_quiz(course)
        answer = client_of(student).post(address(quiz.lesson_id))
        assert (answer.status_code, answer.data["code"]) == (422, "quiz_not_passed")

    def test_refuses_an_assignment_that_was_not_handed_in(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        assignment = with_assignment(course)
        answer = client_of(student).post(address(assignment.lesson_id))
        assert (answer.status_code, answer.data["code"]) == (422, "assignment_not_submitted")

    @pytest.mark.parametrize("size", [2, 20])
    def test_asks_as_often_in_a_long_course_as_in_a_short_one(
        self, size: int, student: Any, client_of: ClientOf, django_assert_num_queries: Any
    ) -> None:
        course: Any = CourseFactory(published=True, modules=2, lessons=size)
        enrollment: Any = EnrollmentFactory(student=student, course=course)
        services.initialise_progress(enrollment_id=enrollment.pk, at=timezone.now())
        client = client_of(student)
        # The lesson, the enrollment; within its savepoint (2) the locked standing, its records, three rows written,
        # and the fact (2).
        with django_assert_num_queries(10):
            client.post(address(lesson_ids(course)[0]))


class TestPercentages:
    def test_reach_100_only_with_everything(self) -> None:
        assert share(29_999, 30_000) == 99.99
        assert (share(1, 3), share(2, 3), share(3, 3), share(0, 0)) == (33.33, 66.67, 100.0, 0.0)

    def test_do_not_sink_when_lessons_are_added(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        lessons, client = lesson_ids(course), client_of(student)
        for lesson in lessons[:2]:
            client.post(address(lesson))
        for place in range(4):
            LessonFactory(module=Module.objects.filter(course=course)[1], position=10 + place)
        freeze(course)
        tree = client.get(f"/api/v1/enrollments/{enrollment.pk}/progress").json()
        assert (tree["percentage"], len(tree["modules"][1]["lessons"])) == (50.0, 6)
        assert client.post(address(lessons[2])).json()["percentage"] == 50.0

    def test_stay_at_100_when_a_completed_course_grows(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        client = client_of(student)
        for lesson in lesson_ids(course):
            client.post(address(lesson))
        LessonFactory(module=Module.objects.filter(course=course)[1], position=10)
        freeze(course)
        tree = client.get(f"/api/v1/progress/{enrollment.pk}").json()
        assert (tree["status"], tree["percentage"], tree["modules"][1]["percentage"]) == (
            "COMPLETED",
            100.0,
            66.67,
        )
        new = lesson_ids(course)[-1]
        assert client.post(address(new)).json()["modules"][1]["percentage"] == 100.0
        assert len(facts("enrollment.completed")) == 1

    def test_complete_the_course_when_the_last_open_lesson_is_left_out(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf, settle: Callable[[], None]
    ) -> None:
        lessons = lesson_ids(course)
        for lesson in lessons[:3]:
            client_of(student).post(address(lesson))
        Lesson.objects.filter(pk=lessons[3]).delete()
        publication = freeze(course)
        publish(
            CoursePublished(
                course_id=course.pk,
                instructor_id=course.instructor_id,
                publication_id=publication.pk,
                title="x",
            )
        )
        settle()
        enrollment.refresh_from_db()
        assert (enrollment.status, enrollment.percentage) == (EnrollmentStatus.COMPLETED, 100.0)

    def test_are_recomputed_to_what_the_lessons_say(self, enrollment: Any) -> None:
        Enrollment.objects.filter(pk=enrollment.pk).update(percentage=80)
        assert (
            services.recompute_progress(enrollment_id=enrollment.pk, at=timezone.now())["percentage"] == 0.0
        )
        enrollment.refresh_from_db()
        assert enrollment.percentage == 0


class TestReadingProgress:
    ADDRESSES = ("/api/v1/enrollments/{}/progress", "/api/v1/progress/{}", "/api/v1/progress/{}/summary")

    @pytest.mark.parametrize("path", ADDRESSES)
    @pytest.mark.parametrize(
        ("who", "status"),
        [
            ("student", 200),
            ("classmate", 404),
            ("instructor", 200),
            ("rival", 404),
            ("staff", 200),
            ("administrator", 200),
        ],
    )
    def test_is_for_its_own(
        self,
        path: str,
        who: str,
        status: int,
        enrollment: Any,
        client_of: ClientOf,
        request: pytest.FixtureRequest,
    ) -> None:
        assert client_of(request.getfixturevalue(who)).get(path.format(enrollment.pk)).status_code == status

    @pytest.mark.parametrize("path", ADDRESSES)
    def test_refuses_anonymous_visitors(self, path: str, enrollment: Any, anonymous: Any) -> None:
        assert anonymous.get(path.format(enrollment.pk)).status_code == 401

    def test_shows_an_enrollment_that_is_not_laid_out_yet(self, student: Any, client_of: ClientOf) -> None:
        pending: Any = EnrollmentFactory(student=student, status=EnrollmentStatus.PENDING)
        tree = client_of(student).get(f"/api/v1/enrollments/{pending.pk}/progress").json()
        assert (tree["status"], tree["percentage"], tree["last_accessed_at"]) == ("PENDING", 0.0, None)

    def test_asks_four_times(
        self, student: Any, enrollment: Any, client_of: ClientOf, django_assert_num_queries: Any
    ) -> None:
        client = client_of(student)
        # The caller's roles, the enrollment, its standing, its lessons.
        with django_assert_num_queries(4):
            client.get(f"/api/v1/enrollments/{enrollment.pk}/progress")
