"""A draft becomes what learners read, or nothing has happened."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from courses import services
from courses.models import ContentChunk, Course, CourseSeats, CourseStatus, Publication, PublishedLesson
from courses.tests.factories import CourseFactory, LessonFactory
from smartcourse.events.models import OutboxFact
from smartcourse.workflows.models import Run, RunStatus
from smartcourse.workflows.services import RETRY_AFTER, advance


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
        for _ in range(len(RETRY_AFTER) + 1):
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
