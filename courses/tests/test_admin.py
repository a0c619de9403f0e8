"""Courses in the back office."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from courses.models import Course, CourseStatus
from courses.tests.factories import CourseFactory

pytestmark = pytest.mark.django_db
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
