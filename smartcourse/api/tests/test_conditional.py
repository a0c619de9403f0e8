"""Entity tags: what has not changed is not sent again, and what has changed is not overwritten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from courses.models import Course, CourseStatus, LessonType
from courses.services import lock_course
from courses.tests.factories import CourseFactory, LessonFactory
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db
COURSES = "/api/v1/courses"


@pytest.fixture
def author(client_of: ClientOf, instructor: Any) -> Any:
    return client_of(instructor)


@pytest.fixture
def course(instructor: Any) -> Course:
    return CourseFactory(instructor=instructor)


def address(course: Course) -> str:
    return f"{COURSES}/{course.pk}"


class TestReads:
    def test_have_a_tag_of_what_is_there(self, author: Any, course: Course) -> None:
        first, same = author.get(address(course)), author.get(address(course))
        assert first["ETag"] == same["ETag"]
        assert first["ETag"].startswith('"')
        course.describe(title="Splices")
        assert author.get(address(course))["ETag"] != first["ETag"]

    def test_are_not_sent_again_unchanged(self, author: Any, course: Course) -> None:
        read = author.get(address(course))
        for known in (read["ETag"], f"W/{read['ETag']}", f'"other", {read["ETag"]}', "*"):
            answer = author.get(address(course), headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b"")
            # RFC 9110 §15.4.5.
            for name in ("ETag", "Cache-Control"):
                assert answer[name] == read[name]
            assert set(read["Vary"].split(", ")) <= set(answer["Vary"].split(", "))
            assert "Content-Type" not in answer.headers
        assert author.get(address(course), headers={"If-None-Match": '"other"'}).status_code == 200

    def test_answer_a_head_with_the_same_tag(self, author: Any, course: Course) -> None:
        told = author.head(address(course))
        assert told["ETag"] == author.get(address(course))["ETag"]
        assert author.head(address(course), headers={"If-None-Match": told["ETag"]}).status_code == 304

    def test_of_lists_have_one_too(self, anonymous: Any) -> None:
        CourseFactory(published=True)
        tag = anonymous.get(COURSES)["ETag"]
        assert anonymous.get(COURSES, headers={"If-None-Match": tag}).status_code == 304
        CourseFactory(published=True)
        assert anonymous.get(COURSES, headers={"If-None-Match": tag}).status_code == 200

    def test_compressed_have_a_weak_one_that_serves_as_well(self, author: Any, course: Course) -> None:
        course.describe(description="word " * 300)
        read = author.get(address(course), headers={"Accept-Encoding": "gzip"})
        assert (read["Content-Encoding"], read["ETag"][:2]) == ("gzip", "W/")
        same = author.get(address(course), headers={"Accept-Encoding": "gzip", "If-None-Match": read["ETag"]})
        assert same.status_code == 304
        changed = author.patch(address(course), {"title": "Knots"}, headers={"If-Match": read["ETag"]})
        assert changed.status_code == 200

    def test_are_kept_by_no_cache_but_ones_own(self, author: Any, anonymous: Any, course: Course) -> None:
        read = author.get(address(course))
        assert read["Cache-Control"] == "private, no-cache"
        assert {"Authorization", "Cookie"} <= set(read["Vary"].split(", "))
        for answer in (anonymous.get(address(course)), author.patch(address(course), {"title": "Two"})):
            assert answer["Cache-Control"] == "no-store"

    def test_that_want_what_is_not_there_are_refused(self, author: Any, course: Course) -> None:
        answer = author.get(address(course), headers={"If-Match": '"other"'})
        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")


def targets(course: Course) -> list[tuple[str, dict[str, Any]]]:
    module = course.modules.get()
    lesson = module.lessons.all()[0]
    modules = f"{address(course)}/modules/{module.pk}"
    return [
        (address(course), {"title": "Bends"}),
        (modules, {"title": "Bends"}),
        (f"{modules}/lessons/{lesson.pk}", {"title": "Bends"}),
    ]


class TestChanges:
    @pytest.mark.parametrize("which", [0, 1, 2])
    def test_are_made_to_what_was_read_and_to_nothing_else(
        self, author: Any, course: Course, which: int
    ) -> None:
        where, change = targets(course)[which]
        tag = author.get(where)["ETag"]
        done = author.patch(where, change, headers={"If-Match": tag})
        assert done.status_code == 200
        assert done["ETag"] == author.get(where)["ETag"] != tag
        for verb in ("patch", "put", "delete"):
            body = None if verb == "delete" else {"title": "Hitches"}
            late = getattr(author, verb)(where, body, headers={"If-Match": tag})
            assert (late.status_code, late.json()["code"]) == (412, "precondition_failed"), verb
        assert author.get(where)["ETag"] == done["ETag"]
        assert author.put(where, {"title": "Hitches"}, headers={"If-Match": "*"}).status_code == 200
        now = author.get(where)["ETag"]
        assert author.delete(where, headers={"If-Match": f'"other", {now}'}).status_code == 204

    def test_of_a_quiz_too(self, author: Any, course: Course) -> None:
        lesson = LessonFactory(module=course.modules.get(), type=LessonType.QUIZ, position=9)
        quiz = {
            "pass_percentage": 50, "questions": [{"kind": "true_false", "prompt": "Is it?", "key": True}],
        }  # fmt: skip
        made = author.post(f"{address(course)}/quizzes", {**quiz, "lesson_id": str(lesson.pk)}, format="json")
        where = f"/api/v1/quizzes/{made.json()['id']}"
        tag = author.get(where)["ETag"]
        change = {**quiz, "pass_percentage": 70}
        assert author.put(where, change, format="json", headers={"If-Match": tag}).status_code == 200
        assert author.put(where, quiz, format="json", headers={"If-Match": tag}).status_code == 412

    def test_of_the_draft_may_wait_for_the_publication_that_was_read(
        self, author: Any, course: Course
    ) -> None:
        answer = author.post(f"{address(course)}/publish", headers={"If-Match": '"other"'})
        assert answer.status_code == 412
        assert Course.objects.get().status == CourseStatus.DRAFT

    def test_by_others_are_refused_as_without_a_tag(
        self, course: Course, client_of: ClientOf, rival: Any, student: Any
    ) -> None:
        published = CourseFactory(instructor=course.instructor, published=True)
        for where, status in ((address(course), 404), (address(published), 403)):
            for who in (rival, student):
                answer = client_of(who).patch(where, {"title": "Mine"}, headers={"If-Match": '"x"'})
                assert answer.status_code == status
        assert client_of(None).patch(address(course), {}, headers={"If-Match": '"x"'}).status_code == 401


@pytest.mark.django_db(transaction=True)
class TestConcurrentChanges:
    def test_with_one_tag_are_made_once(self, client_of: ClientOf, instructor: Any) -> None:
        course = CourseFactory(instructor=instructor)
        where = address(course)
        tag, together = client_of(instructor).get(where)["ETag"], threading.Barrier(8)

        def change(number: int) -> int:
            client = client_of(instructor)
            try:
                together.wait()
                answer = client.patch(where, {"title": f"Title {number}"}, headers={"If-Match": tag})
                return int(answer.status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(change, range(8))) == [200, *[412] * 7]

    def test_wait_for_who_changes_the_course_just_now(self, client_of: ClientOf, instructor: Any) -> None:
        course = CourseFactory(instructor=instructor)
        tag = client_of(instructor).get(address(course))["ETag"]

        def change() -> int:
            try:
                client = client_of(instructor)
                answer = client.patch(address(course), {"title": "Late"}, headers={"If-Match": tag})
                return int(answer.status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                lock_course(course.pk).describe(title="First")
                late = pool.submit(change)
                with pytest.raises(TimeoutError):
                    late.result(timeout=0.5)
            assert late.result(timeout=20) == 412
        assert Course.objects.get().title == "First"
