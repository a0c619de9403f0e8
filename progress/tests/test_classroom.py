"""Reading lessons, resume points, and files."""

from __future__ import annotations

from typing import Any

import pytest

from courses.models import CourseStatus, Module
from courses.tests.factories import CourseFactory, LessonFactory, freeze
from enrollments.tests.factories import EnrollmentFactory
from progress.models import CourseProgress, LessonProgress
from progress.services import initialise_progress
from progress.tests.factories import lesson_ids, loose_material, with_assignment, with_material, with_quiz
from smartcourse.db.identifiers import uuid7
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db


@pytest.fixture
def course(instructor: Any) -> Any:
    return CourseFactory(published=True, modules=2, lessons=2, instructor=instructor)


@pytest.fixture
def enrollment(student: Any, course: Any) -> Any:
    from django.utils import timezone

    enrollment: Any = EnrollmentFactory(student=student, course=course)
    initialise_progress(enrollment_id=enrollment.pk, at=timezone.now())
    return enrollment


MATRIX = [
    ("student", 200), ("stranger", 403), ("instructor", 200), ("rival", 403), ("staff", 200), ("administrator", 200),
]  # fmt: skip


class TestReading:
    def test_shows_the_lesson_in_its_place(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        material, lessons = with_material(course), lesson_ids(course)
        page = client_of(student).get(f"/api/v1/lessons/{lessons[0]}").json()
        module = course.modules.all()[0]
        assert "<em>text</em>" in page.pop("content")
        files = page.pop("materials")
        assert [(row["id"], row["name"]) for row in files] == [(str(material.pk), "notes.txt")]
        assert files[0]["download_url"].endswith(f"/api/v1/materials/{material.pk}/download")
        assert page == {
            "id": str(lessons[0]), "title": "Lesson 1.1", "type": "text",
            "module": {"id": str(module.pk), "title": "Module 1"},
            "course": {"id": str(course.pk), "title": course.title},
            "estimated_minutes": 5, "status": "IN_PROGRESS", "position_seconds": 0, "quiz": None, "assignment": None,
            "previous_lesson_id": None, "next_lesson_id": str(lessons[1]),
        }  # fmt: skip

    def test_leads_from_module_to_module(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        lessons = lesson_ids(course)
        page = client_of(student).get(f"/api/v1/lessons/{lessons[2]}").json()
        assert page["module"]["title"] == "Module 2"
        assert (page["previous_lesson_id"], page["next_lesson_id"]) == (str(lessons[1]), str(lessons[3]))
        assert client_of(student).get(f"/api/v1/lessons/{lessons[3]}").json()["next_lesson_id"] is None

    def test_notes_the_visit_once(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        lesson, client = lesson_ids(course)[0], client_of(student)
        client.get(f"/api/v1/lessons/{lesson}")
        record, visited = LessonProgress.objects.get(), CourseProgress.objects.get().last_accessed_at
        assert record.status == "IN_PROGRESS"
        assert visited is not None
        client.get(f"/api/v1/lessons/{lesson}")
        assert LessonProgress.objects.get().updated_at == record.updated_at
        assert CourseProgress.objects.get().last_accessed_at == visited

    def test_notes_nothing_for_those_who_teach(
        self, course: Any, instructor: Any, client_of: ClientOf
    ) -> None:
        page = client_of(instructor).get(f"/api/v1/lessons/{lesson_ids(course)[0]}").json()
        assert (page["status"], LessonProgress.objects.count()) == ("NOT_STARTED", 0)

    @pytest.mark.parametrize(("who", "status"), MATRIX)
    def test_is_for_the_enrolled_and_those_who_teach(
        self,
        who: str,
        status: int,
        course: Any,
        enrollment: Any,
        client_of: ClientOf,
        request: pytest.FixtureRequest,
    ) -> None:
        answer = client_of(request.getfixturevalue(who)).get(f"/api/v1/lessons/{lesson_ids(course)[0]}")
        assert answer.status_code == status

    def test_refuses_anonymous_visitors(self, course: Any, anonymous: Any) -> None:
        answer = anonymous.get(f"/api/v1/lessons/{lesson_ids(course)[0]}")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")

    @pytest.mark.parametrize(
        ("state", "status"), [("PENDING", 403), ("SUSPENDED", 403), ("DROPPED", 403), ("COMPLETED", 200)]
    )
    def test_goes_by_the_state_of_the_enrollment(
        self, state: str, status: int, student: Any, course: Any, client_of: ClientOf
    ) -> None:
        EnrollmentFactory(student=student, course=course, status=state)
        assert client_of(student).get(f"/api/v1/lessons/{lesson_ids(course)[0]}").status_code == status

    @pytest.mark.parametrize("who", ["stranger", "rival"])
    def test_opens_a_free_preview_to_everybody(
        self, who: str, course: Any, anonymous: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        with_material(course, preview=True)
        first, second, *_ = lesson_ids(course)
        assert anonymous.get(f"/api/v1/lessons/{first}").status_code == 200
        assert anonymous.get(f"/api/v1/lessons/{second}").status_code == 401
        assert client_of(request.getfixturevalue(who)).get(f"/api/v1/lessons/{first}").status_code == 200

    def test_does_not_find_what_is_not_published(
        self, student: Any, enrollment: Any, course: Any, client_of: ClientOf
    ) -> None:
        draft: Any = LessonFactory(module=Module.objects.filter(course=course)[0], position=9)
        for lesson in (draft.pk, uuid7()):
            assert client_of(student).get(f"/api/v1/lessons/{lesson}").status_code == 404

    def test_stays_open_to_learners_of_an_archived_course(
        self, student: Any, stranger: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        with_material(course, preview=True)
        course.status = CourseStatus.ARCHIVED
        course.save()
        lesson = lesson_ids(course)[0]
        assert client_of(student).get(f"/api/v1/lessons/{lesson}").status_code == 200
        assert client_of(stranger).get(f"/api/v1/lessons/{lesson}").status_code == 404

    def test_tells_of_the_quiz_and_not_of_its_key(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        quiz = with_quiz(course, attempt_limit=2)
        answer = client_of(student).get(f"/api/v1/lessons/{quiz.lesson_id}")
        assert answer.json()["quiz"] == {
            "id": str(quiz.pk), "pass_percentage": 60, "attempt_limit": 2, "attempts_made": 0, "passed": False,
        }  # fmt: skip
        assert "Two and two" not in answer.content.decode()

    def test_tells_of_the_assignment(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        assignment = with_assignment(course)
        page = client_of(student).get(f"/api/v1/lessons/{assignment.lesson_id}").json()
        assert page["assignment"] == {"id": str(assignment.pk), "points": 100.0, "submissions_made": 0}

    @pytest.mark.parametrize("files", [1, 6])
    def test_asks_as_often_for_many_files_as_for_one(
        self, files: int, student: Any, course: Any, enrollment: Any, client_of: ClientOf,
        django_assert_max_num_queries: Any,
    ) -> None:  # fmt: skip
        lesson = course.modules.all()[0].lessons.all()[0]
        for number in range(files):
            lesson.materials.add(loose_material(course, name=f"{number}.txt"))
        freeze(course)
        client = client_of(student)
        with django_assert_max_num_queries(8):
            assert len(client.get(f"/api/v1/lessons/{lesson.pk}").json()["materials"]) == files


class TestPosition:
    def test_is_kept_and_the_time_added_up(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        lesson, client = lesson_ids(course)[0], client_of(student)
        for position in (60, 30):
            answer = client.post(
                f"/api/v1/lessons/{lesson}/position", {"position_seconds": position, "seconds_spent": 20}
            )
        assert answer.json() == {
            "lesson_id": str(lesson), "status": "IN_PROGRESS", "position_seconds": 30, "seconds_spent": 40,
        }  # fmt: skip
        assert client.get(f"/api/v1/lessons/{lesson}").json()["position_seconds"] == 30

    def test_leaves_a_completed_lesson_completed(
        self, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        lesson, client = lesson_ids(course)[0], client_of(student)
        client.post(f"/api/v1/lessons/{lesson}/complete")
        answer = client.post(f"/api/v1/lessons/{lesson}/position", {"position_seconds": 5})
        assert answer.json()["status"] == "COMPLETED"

    @pytest.mark.parametrize(
        "body",
        [{}, {"position_seconds": -1}, {"position_seconds": 2**40}, {"position_seconds": 1, "seconds_spent": 2**40},
         {"position_seconds": 1, "status": "COMPLETED"}, {"position_seconds": "NaN"}],
    )  # fmt: skip
    def test_refuses_what_it_does_not_understand(
        self, body: Any, student: Any, course: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        answer = client_of(student).post(f"/api/v1/lessons/{lesson_ids(course)[0]}/position", body)
        assert answer.status_code == 400

    @pytest.mark.parametrize(
        ("who", "status"), [("stranger", 403), ("instructor", 403), ("rival", 403), ("staff", 403)]
    )
    def test_is_for_the_enrolled(
        self, who: str, status: int, course: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        address = f"/api/v1/lessons/{lesson_ids(course)[0]}/position"
        answer = client_of(request.getfixturevalue(who)).post(address, {"position_seconds": 1})
        assert answer.status_code == status

    def test_refuses_anonymous_visitors(self, course: Any, anonymous: Any) -> None:
        answer = anonymous.post(f"/api/v1/lessons/{lesson_ids(course)[0]}/position", {"position_seconds": 1})
        assert answer.status_code == 401
