"""A draft becomes what learners read, or nothing has happened."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from fpdf import FPDF

from courses import services
from courses.models import ContentChunk, Course, CourseSeats, CourseStatus, Publication, PublishedLesson
from courses.tests.factories import CourseFactory, LessonFactory
from enrollments.tests.factories import EnrollmentFactory
from smartcourse.events.models import OutboxFact
from smartcourse.workflows.models import Run, RunStatus
from smartcourse.workflows.services import advance


def pdf_saying(words: str) -> bytes:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica")
    pdf.cell(text=words)
    return bytes(pdf.output())


def publish(course: Course) -> Run:
    run = services.request_publication(course_id=course.pk, by=course.instructor_id)
    advance(run.pk)
    run.refresh_from_db()
    course.refresh_from_db()
    return run


@pytest.mark.django_db
class TestPublishing:
    def test_puts_the_draft_before_learners(self, client_of: Any) -> None:
        course = CourseFactory(title="Knots", modules=2)
        assert publish(course).status == RunStatus.COMPLETED
        assert course.status == CourseStatus.PUBLISHED
        assert PublishedLesson.objects.filter(publication=course.current_publication).count() == 6
        assert OutboxFact.objects.filter(type="course.published").count() == 1
        assert client_of(None).get("/api/v1/courses?search=knot").json()["count"] == 1

    def test_says_what_is_missing_and_gives_the_draft_back(self, settle: Any) -> None:
        course = CourseFactory(lessons=1)
        LessonFactory(module=course.modules.get(), title="Nothing yet", content=" ", position=5)
        LessonFactory(module=course.modules.get(), title="Which?", type="quiz", content="", position=6)
        run = publish(course)
        assert (run.status, run.error_code) == (RunStatus.FAILED, "course_incomplete")
        assert "“Nothing yet” is empty" in run.error
        assert "“Which?” has no quiz" in run.error
        assert course.status == CourseStatus.DRAFT
        assert not Publication.objects.exists()
        fact = OutboxFact.objects.get(type="course.publishing_failed")
        assert "Nothing yet" in fact.payload["error"]

    @pytest.mark.parametrize("step", ["update_search_index", "mark_published"])
    def test_leaves_nothing_behind_when_a_step_keeps_failing(
        self, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        course = CourseFactory()
        monkeypatch.setattr(services, step, lambda **_: 1 / 0)
        run = services.request_publication(course_id=course.pk, by=None)
        for _ in range(len(settings.WORKFLOW_RETRY_SECONDS) + 1):
            advance(run.pk)
        run.refresh_from_db()
        course.refresh_from_db()
        assert run.status == RunStatus.FAILED
        assert course.status == CourseStatus.DRAFT
        assert not Publication.objects.exists()
        assert not ContentChunk.objects.exists()
        assert course.search_vector is None

    def test_keeps_the_previous_publication_when_the_next_one_fails(
        self, monkeypatch: pytest.MonkeyPatch, client_of: Any
    ) -> None:
        course = CourseFactory(title="Knots")
        publish(course)
        before = course.current_publication
        LessonFactory(module=course.modules.get(), content="", position=9)
        assert publish(course).status == RunStatus.FAILED
        assert (course.status, course.current_publication) == (CourseStatus.PUBLISHED, before)
        assert client_of(None).get("/api/v1/courses?search=knots").json()["count"] == 1

    def test_an_edit_of_the_draft_does_not_touch_what_learners_read(self) -> None:
        course = CourseFactory()
        publish(course)
        lesson = course.modules.get().lessons.all()[0]
        services.update_lesson(lesson_id=lesson.pk, changes={"content": "Rewritten.", "title": "Other"})
        assert services.published_lesson(lesson_id=lesson.pk).content == "Some *text* to read."
        publish(course)
        assert services.published_lesson(lesson_id=lesson.pk).content == "Rewritten."
        assert course.publications.count() == 2
        services.delete_lesson(lesson_id=lesson.pk)
        assert services.published_lesson(lesson_id=lesson.pk).title == "Other"
        publish(course)
        with pytest.raises(services.LessonNotFound):
            services.published_lesson(lesson_id=lesson.pk)

    def test_lets_a_course_rest_that_was_archived_meanwhile(self) -> None:
        course = CourseFactory()
        run = services.request_publication(course_id=course.pk, by=None)
        services.request_archiving(course_id=course.pk, by=None)
        advance(run.pk)
        run.refresh_from_db()
        course.refresh_from_db()
        assert (run.status, course.status) == (RunStatus.FAILED, CourseStatus.ARCHIVED)
        assert not Publication.objects.exists()

    @pytest.mark.parametrize("fault", ["broken", "gone"])
    def test_goes_on_without_the_words_of_a_file_that_cannot_be_read(self, fault: str) -> None:
        course = CourseFactory()
        material = services.add_material(
            course_id=course.pk,
            name="a.pdf",
            content_type="application/pdf",
            stream=io.BytesIO(b"%PDF-1.7 no more"),
        )
        if fault == "gone":
            material.file.storage.delete(material.file.name)
        assert publish(course).status == RunStatus.COMPLETED
        assert not ContentChunk.objects.filter(material=material).exists()

    def test_finds_the_words_of_a_pdf(self, anonymous: Any) -> None:
        course = CourseFactory()
        stream = io.BytesIO(pdf_saying("Heliotrope"))
        services.add_material(
            course_id=course.pk, name="a.pdf", content_type="application/pdf", stream=stream
        )
        publish(course)
        assert anonymous.get("/api/v1/courses?search=heliotrope").json()["count"] == 1

    def test_indexes_as_much_as_fits_of_a_course_of_very_many_words(self, anonymous: Any) -> None:
        draw = random.Random(7)
        words = ("".join(draw.choices("абвгдежзийклмнопрстуфхцчшщьюя", k=7)) for _ in range(60_000))
        course = CourseFactory(title="Слова", language="ru", lessons=0)
        LessonFactory(module=course.modules.get(), content=" ".join(["начало", *words]))
        assert publish(course).status == RunStatus.COMPLETED
        assert anonymous.get("/api/v1/courses?search=начало&language=ru").json()["count"] == 1

    def test_is_one_process_however_often_it_is_asked_for(self, instructor: Any, client_of: Any) -> None:
        url = f"/api/v1/courses/{CourseFactory(instructor=instructor).pk}/publish"
        answers = [client_of(instructor).post(url) for _ in range(3)]
        assert {a.status_code for a in answers} == {202}
        assert len({a.json()["workflow_id"] for a in answers}) == 1
        assert answers[0].json()["status"] == "QUEUED"

    def test_is_watched_by_whoever_asked_for_it_and_staff(
        self, instructor: Any, rival: Any, staff: Any, client_of: Any
    ) -> None:
        run = publish(CourseFactory(instructor=instructor))
        url = f"/api/v1/workflows/{run.pk}"
        asked = [client_of(who).get(url).status_code for who in (None, rival, instructor, staff)]
        assert asked == [401, 404, 200, 200]
        steps = [step["name"] for step in client_of(instructor).get(url).json()["steps"]]
        assert steps == ["validate_course", "process_content", "update_search_index", "mark_published"]


@pytest.mark.django_db
class TestSearch:
    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("lighthouse", True), ("lighthouses", True), ("signalling", True), ('"tall tower"', True),
            ("submarine", False),
            ("lighthouse -tower", False), ("submarine or lighthouse", True), ("Summary", True), ("deepest", True),
        ],
    )  # fmt: skip
    def test_finds_by_title_summary_description_and_lessons(
        self, words: str, found: bool, client_of: Any
    ) -> None:
        course = CourseFactory(
            title="The lighthouse",
            summary="A summary of signals.",
            description="It is a tall tower.",
            lessons=0,
        )
        LessonFactory(module=course.modules.get(), content="From the **deepest** night.")
        publish(course)
        results = client_of(None).get("/api/v1/courses", {"search": words}).json()["results"]
        assert bool(results) is found

    def test_puts_a_word_in_the_title_before_one_in_the_text(self, client_of: Any) -> None:
        inside = CourseFactory(title="Harbours", description="There is a lighthouse.")
        titled = CourseFactory(title="Lighthouse")
        publish(titled)
        publish(inside)
        rows = client_of(None).get("/api/v1/courses?search=lighthouse").json()["results"]
        assert [row["id"] for row in rows] == [str(titled.pk), str(inside.pk)]

    def test_finds_words_of_other_languages(self, client_of: Any) -> None:
        publish(CourseFactory(title="Sternenhimmel über der Stadt", language="de"))
        assert client_of(None).get("/api/v1/courses?search=Sternenhimmel").json()["count"] == 1
        assert client_of(None).get("/api/v1/courses?search=Städte&language=de").json()["count"] == 1


@pytest.mark.django_db(transaction=True)
class TestSeats:
    def test_two_hundred_people_take_fifty_seats(self) -> None:
        course = CourseFactory(capacity=50)
        taken: list[bool] = []

        def work() -> None:
            for _ in range(10):
                try:
                    services.take_seat(course_id=course.pk)
                    taken.append(True)
                except services.CourseFull:
                    taken.append(False)
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert (len(taken), sum(taken)) == (200, 50)
        assert CourseSeats.objects.get(course=course).taken == 50


@pytest.mark.django_db(transaction=True)
class TestLocks:
    def test_edits_of_one_course_never_wait_for_each_other_in_a_ring(self) -> None:
        course = CourseFactory()
        module = course.modules.get()
        ids = [lesson.pk for lesson in module.lessons.all()]
        failures: list[BaseException] = []

        def repeat(deed: Callable[..., object], **arguments: Any) -> None:
            try:
                for _ in range(15):
                    deed(**arguments)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test names it
                failures.append(error)
            finally:
                connection.close()

        deeds: list[tuple[Callable[..., object], dict[str, Any]]] = [
            (services.update_lesson, {"lesson_id": pk, "changes": {"title": "x"}}) for pk in ids
        ]
        deeds.append((services.update_module, {"module_id": module.pk, "title": "x"}))
        deeds.append((services.reorder_course, {"course_id": course.pk, "order": [(module.pk, ids[::-1])]}))
        threads = [threading.Thread(target=repeat, args=(deed,), kwargs=words) for deed, words in deeds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert failures == []

    def test_nobody_who_enrolls_waits_for_a_course_that_is_published_anew(self, student: Any) -> None:
        course = CourseFactory(published=True)
        enrolled = threading.Event()

        def enroll() -> None:
            EnrollmentFactory(course=course, student=student)
            enrolled.set()
            connection.close()

        thread = threading.Thread(target=enroll)
        with transaction.atomic():
            services.process_content(course_id=course.pk, by=None)
            thread.start()
            assert enrolled.wait(5)
        thread.join(5)
