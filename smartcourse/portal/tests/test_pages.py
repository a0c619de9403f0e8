"""The front door, the docs, and what a browser is told where there is nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.staticfiles.finders import find
from django.test import Client
from django.utils import timezone

from courses.models import Course
from courses.tests.factories import CourseFactory

pytestmark = pytest.mark.django_db
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class TestHomePage:
    def test_shows_the_newest_published_courses_to_everybody(
        self, client: Client, instructor: Any, django_assert_max_num_queries: Any
    ) -> None:
        courses = [CourseFactory(instructor=instructor, published=True, title=f"Nr {n}.") for n in range(14)]
        for ago, course in enumerate(courses):
            Course.objects.filter(pk=course.pk).update(published_at=timezone.now() - timedelta(days=ago))
        CourseFactory(instructor=instructor, title="Still a draft")
        with django_assert_max_num_queries(1):
            page = client.get("/").content.decode()
        assert re.findall(r"Nr \d+\.", page) == [f"Nr {n}." for n in range(12)]
        assert instructor.full_name in page
        assert "Still a draft" not in page

    def test_shows_what_authors_write_as_text(self, client: Client) -> None:
        CourseFactory(published=True, title="<script>alert(1)</script>")
        assert "<script" not in client.get("/").content.decode()

    def test_says_so_when_the_catalogue_is_empty(self, client: Client) -> None:
        assert "No course has been published yet." in client.get("/").content.decode()

    def test_is_only_read(self, client: Client) -> None:
        assert client.post("/").status_code == 405


class TestDocs:
    def test_hold_nothing_that_the_content_security_policy_refuses(self, client: Client) -> None:
        page = client.get("/api/v1/docs", headers={"accept": BROWSER})
        assert page.status_code == 200
        assert not re.search(r"<style|<script(?![^>]* src=)| style=| on\w+=|https?://", page.content.decode())

    def test_find_their_files_in_the_packages(self, client: Client) -> None:
        page = client.get("/api/v1/docs", headers={"accept": BROWSER}).content.decode()
        files = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
        assert len(files) == 5
        assert [name for name in files if find(name) is None] == []

    def test_load_their_script_from_here(self, client: Client) -> None:
        script = client.get("/api/v1/docs?script=")
        assert script["Content-Type"].startswith("application/javascript")
        assert "/api/v1/schema" in script.content.decode()


class TestNothingThere:
    def test_is_a_page_for_a_browser(self, client: Client) -> None:
        answer = client.get("/nowhere", headers={"accept": BROWSER})
        assert answer.status_code == 404
        assert answer["Content-Type"].startswith("text/html")
        assert answer["X-Request-Id"] in answer.content.decode()

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "application/problem+json"])
    def test_is_a_problem_document_for_a_program(self, client: Client, accept: str) -> None:
        answer = client.get("/nowhere", headers={"accept": accept})
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")

    def test_is_a_problem_document_below_the_api_even_for_a_browser(self, client: Client) -> None:
        answer = client.get("/api/v1/nowhere", headers={"accept": BROWSER})
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")

    def test_is_told_without_the_database(self, client: Client, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            client.get("/nowhere", headers={"accept": BROWSER})
