"""A publication that fails at any step leaves the course as it was, and its author is told why."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from pypdf import PdfWriter

from courses import services
from courses.models import ContentChunk, Course, CourseStatus, Lesson, Module, Publication, PublishedLesson
from courses.tests.factories import CourseFactory, LessonFactory
from enrollments.tests.factories import EnrollmentFactory
from notifications.models import Message
from smartcourse.errors import RuleViolated
from smartcourse.workflows.models import Run, RunStatus
from smartcourse.workflows.services import advance, retry

pytestmark = pytest.mark.django_db
STEPS = ("validate_course", "process_content", "update_search_index", "mark_published")


class TooLong(RuleViolated):
    message = "The course is too long to be printed."


def rows(model: Any, course: Course, path: str) -> list[dict[str, Any]]:
    return list(model.objects.filter(**{path: course.pk}).order_by("pk").values())


def snapshot(course: Course, reader: Any) -> dict[str, Any]:
    """Return all that there is of the course: rows, what is found, and what somebody who is in it reads."""
    [row] = rows(Course, course, "pk")
    row.pop("updated_at")
    lesson = Lesson.objects.filter(module__course=course.pk).earliest("position")
    return {
        "course": row,
        "modules": rows(Module, course, "course"),
        "lessons": rows(Lesson, course, "module__course"),
        "publications": rows(Publication, course, "course"),
        "frozen": rows(PublishedLesson, course, "publication__course"),
        "chunks": rows(ContentChunk, course, "publication__course"),
        "found": [hit["id"] for hit in reader.get("/api/v1/courses?search=sheepshank").json()["results"]],
        "read": reader.get(f"/api/v1/lessons/{lesson.pk}").json().get("content"),
    }


def run_to_its_end(course: Course) -> Run:
    run = services.request_publication(course_id=course.pk, by=course.instructor_id)
    for _ in range(len(settings.WORKFLOW_RETRY_SECONDS) + 1):
        advance(run.pk)
    run.refresh_from_db()
    return run


@pytest.fixture(params=["never published", "published before"])
def course(request: pytest.FixtureRequest, instructor: Any) -> Course:
    course = CourseFactory(title="Sheepshank", instructor=instructor)
    if request.param == "published before":
        assert run_to_its_end(course).status == RunStatus.COMPLETED
        LessonFactory(module=course.modules.get(), title="Newer", content="Newer words.", position=7)
    return course


@pytest.fixture
def reader(course: Course, student: Any, client_of: Any) -> Any:
    EnrollmentFactory(course=course, student=student)
    return client_of(student)


class TestEachStep:
    @pytest.mark.parametrize("step", STEPS)
    @pytest.mark.parametrize(
        "error", [TooLong(), OSError("/var/secret/disk is full")], ids=["rule", "trouble"]
    )
    def test_that_fails_leaves_everything_as_it_was(
        self,
        step: str,
        error: Exception,
        course: Course,
        reader: Any,
        settle: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        before = snapshot(course, reader)
        done = getattr(services, step)

        def half(**arguments: Any) -> Any:
            # It fails when it has done all of its work: that is the hardest to undo.
            done(**arguments)
            raise error

        with monkeypatch.context() as broken:
            broken.setattr(services, step, half)
            assert run_to_its_end(course).status == RunStatus.FAILED
        assert snapshot(course, reader) == before

        settle()
        told = Message.objects.filter(type="publishing_failed", recipient=course.instructor_id)
        assert {message.channel for message in told} == {"mail", "in_app"}
        why = "too long to be printed" if isinstance(error, TooLong) else "Something went wrong on our side."
        assert all(why in message.body + message.title for message in told)
        assert not any("secret" in message.body for message in told)

        assert run_to_its_end(course).status == RunStatus.COMPLETED
        assert snapshot(course, reader)["found"] == [str(course.pk)]


class TestTryingAgain:
    def test_starts_a_publication_as_its_author_would(self, instructor: Any) -> None:
        course = CourseFactory(instructor=instructor, lessons=0)
        failed = run_to_its_end(course)
        LessonFactory(module=course.modules.get())
        newer = retry(failed.pk)
        course.refresh_from_db()
        assert course.status == CourseStatus.PUBLISHING
        advance(newer.pk)
        course.refresh_from_db()
        assert course.status == CourseStatus.PUBLISHED


def encrypted() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("nobody knows")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def many_pages() -> bytes:
    writer = PdfWriter()
    for _ in range(3000):
        writer.add_blank_page(100, 100)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


HOSTILE = {
    "encrypted": encrypted,
    "cut off": lambda: many_pages()[:5000],
    "only its name": lambda: b"%PDF-1.7\n",
    "nested without end": lambda: (
        b"%PDF-1.7\n1 0 obj\n" + b"[" * 20_000 + b"\nendobj\ntrailer <</Root 1 0 R>>\n%%EOF"
    ),
    "its own parent": lambda: (
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF"
    ),
    "of thousands of pages": many_pages,
}


class TestHostilePdf:
    @pytest.mark.parametrize("kind", HOSTILE)
    def test_is_no_reason_not_to_publish(self, kind: str, instructor: Any) -> None:
        course = CourseFactory(instructor=instructor)
        services.add_material(
            course_id=course.pk,
            name="hostile.pdf",
            content_type="application/pdf",
            stream=io.BytesIO(HOSTILE[kind]()),
        )
        assert run_to_its_end(course).status == RunStatus.COMPLETED
        assert ContentChunk.objects.filter(publication__course=course.pk, lesson_id__isnull=False).exists()
