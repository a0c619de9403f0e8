"""Courses in the back office."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from courses import services
from courses.models import Course, CourseStatus
from courses.tests.factories import CourseFactory
from smartcourse.events.models import OutboxFact

pytestmark = pytest.mark.django_db


def hidden_fields(page: Any) -> dict[str, str]:
    """Return what a browser sends along for the rows below the form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode())
    assert any(name.startswith("modules-") for name, _ in found)
    return dict(found)


PAGES = ("course", "module", "lesson", "publication", "material", "quiz")


class TestAdmin:
    @pytest.mark.parametrize("page", PAGES)
    def test_shows_instructors_their_own_rows(
        self,
        client: Client,
        page: str,
        instructor: Any,
        rival: Any,
        student: Any,
        django_assert_max_num_queries: Any,
    ) -> None:
        CourseFactory(instructor=instructor, title="Mine", published=True)
        CourseFactory(instructor=rival, title="Theirs", published=True)
        client.force_login(instructor)
        with django_assert_max_num_queries(16):
            answer = client.get(f"/admin/courses/{page}/")
        assert answer.status_code == 200
        assert "Theirs" not in answer.content.decode()
        client.force_login(student)
        assert client.get(f"/admin/courses/{page}/").status_code == 302

    def test_opens_each_object_to_its_instructor_and_staff(
        self, client: Client, instructor: Any, rival: Any, staff: Any
    ) -> None:
        course = CourseFactory(instructor=instructor, published=True, description="<script>alert(1)</script>")
        lesson = course.modules.get().lessons.all()[0]
        urls = [
            f"/admin/courses/course/{course.pk}/change/",
            f"/admin/courses/module/{course.modules.get().pk}/change/",
            f"/admin/courses/lesson/{lesson.pk}/change/",
            f"/admin/courses/publication/{course.publications.get().pk}/change/",
        ]
        for who, status in ((instructor, 200), (staff, 200), (rival, 302)):
            client.force_login(who)
            assert [client.get(url).status_code for url in urls] == [status] * 4
        client.force_login(staff)
        assert "<script>alert" not in client.get(urls[0]).content.decode()

    WORDS = {
        "title": "Reef knots", "summary": "Two of them.", "description": "For <b>life</b>.", "category": "",
        "level": "advanced", "language": "en", "price_cents": "900", "currency": "EUR",
    }  # fmt: skip

    def test_changes_what_is_said_of_a_course_by_the_service(
        self, client: Client, instructor: Any, django_assert_max_num_queries: Any
    ) -> None:
        course = CourseFactory(instructor=instructor, published=True)
        client.force_login(instructor)
        url = f"/admin/courses/course/{course.pk}/change/"
        with django_assert_max_num_queries(16):
            page = client.get(url)
        # Fields that the page does not offer are passed over, whoever sends them.
        more = {"status": "DRAFT", "instructor": "x", "learner_count": "9"}
        assert client.post(url, {**hidden_fields(page), **self.WORDS, **more}).status_code == 302
        changed = Course.objects.values(
            "title", "level", "price_cents", "status", "instructor", "learner_count"
        )
        assert changed.get() == {
            "title": "Reef knots", "level": "advanced", "price_cents": 900, "status": "PUBLISHED",
            "instructor": instructor.pk, "learner_count": 0,
        }  # fmt: skip
        assert OutboxFact.objects.filter(type="course.updated").count() == 1

    def test_refuses_a_change_that_the_api_would_refuse(self, client: Client, staff: Any) -> None:
        course = CourseFactory(title="Knots")
        client.force_login(staff)
        url = f"/admin/courses/course/{course.pk}/change/"
        rows = hidden_fields(client.get(url))
        for wrong in ({"title": ""}, {"language": "klingon!"}, {"currency": "euro"}, {"price_cents": "-1"}):
            page = client.post(url, {**rows, **self.WORDS, **wrong})
            assert list(page.context["adminform"].form.errors) == list(wrong)
        assert Course.objects.filter(title="Knots").exists()

    def test_changes_neither_others_courses_nor_archived_ones(
        self, client: Client, instructor: Any, rival: Any
    ) -> None:
        archived = CourseFactory(instructor=instructor, title="Old")
        services.request_archiving(course_id=archived.pk, by=None)
        theirs = CourseFactory(instructor=rival, title="Theirs", published=True)
        client.force_login(instructor)
        for course, status in ((archived, 403), (theirs, 302)):
            answer = client.post(f"/admin/courses/course/{course.pk}/change/", self.WORDS)
            assert answer.status_code == status
        assert not Course.objects.filter(title=self.WORDS["title"]).exists()

    def test_shows_what_a_rule_has_against_a_change(
        self, client: Client, staff: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        course = CourseFactory()

        def archived_meanwhile(**_: Any) -> None:
            raise services.CourseArchivedAlready

        monkeypatch.setattr(services, "update_course", archived_meanwhile)
        client.force_login(staff)
        url = f"/admin/courses/course/{course.pk}/change/"
        form = {**hidden_fields(client.get(url)), **self.WORDS}
        assert "This course is archived." in client.post(url, form, follow=True).content.decode()

    @pytest.mark.parametrize("page", [*PAGES, "category"])
    def test_searches_for_whatever_is_typed(self, client: Client, staff: Any, page: str) -> None:
        client.force_login(staff)
        for words in ("knots", "0190b6a4", "' or 1", "%"):
            assert client.get(f"/admin/courses/{page}/", {"q": words}).status_code == 200

    def test_archives_and_publishes_by_the_services(
        self, client: Client, instructor: Any, rival: Any, settle: Any
    ) -> None:
        mine, theirs = CourseFactory(instructor=instructor), CourseFactory(instructor=rival)
        client.force_login(instructor)
        form = {"action": "publish_selected", "_selected_action": [str(mine.pk), str(theirs.pk)]}
        page = client.post("/admin/courses/course/", form, follow=True).content.decode()
        assert f"{mine.title} is being published." in page
        settle()
        statuses = dict(Course.objects.values_list("pk", "status"))
        assert statuses == {mine.pk: CourseStatus.PUBLISHED, theirs.pk: CourseStatus.DRAFT}
        client.post("/admin/courses/course/", {**form, "action": "archive_selected"})
        mine.refresh_from_db()
        assert mine.status == CourseStatus.ARCHIVED

    def test_lets_staff_and_no_instructor_add_categories(
        self, client: Client, staff: Any, instructor: Any
    ) -> None:
        client.force_login(staff)
        client.post("/admin/courses/category/add/", {"name": "Knots", "slug": "knots"})
        assert client.get("/api/v1/categories").json() == [{"slug": "knots", "name": "Knots"}]
        client.force_login(instructor)
        assert client.get("/admin/courses/category/").status_code == 403
