"""The optional envelope: successes stand in it when the setting says so, and nothing else does."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from accounts.tests.factories import PASSWORD
from courses.tests.factories import CourseFactory
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db
COURSES = "/api/v1/courses"


@pytest.fixture(autouse=True)
def switched_on(settings: Any) -> None:
    settings.API_ENVELOPE = True


class TestEnvelope:
    def test_is_off_by_default(self, anonymous: Any, settings: Any) -> None:
        settings.API_ENVELOPE = False
        assert "success" not in anonymous.get(COURSES).json()

    def test_holds_what_is_there(self, client_of: ClientOf, instructor: Any) -> None:
        client = client_of(instructor)
        made = client.post(COURSES, {"title": "Knots"})
        assert made.status_code == 201
        assert {k: made.json()[k] for k in ("success", "message")} == {"success": True, "message": "Created"}
        course = made.json()["data"]
        read = client.get(f"{COURSES}/{course['id']}")
        assert read.json() == {"success": True, "data": course, "message": "OK"}
        assert set(client.get(COURSES).json()["data"]) == {"count", "next", "previous", "results"}

    def test_is_not_about_refusals(self, client_of: ClientOf, instructor: Any) -> None:
        client = client_of(instructor)
        for answer in (
            client.post(COURSES, {}),
            client.get(f"{COURSES}/mine?cursor=x"),
            client.get("/api/v1/x"),
        ):
            assert answer["Content-Type"] == "application/problem+json"
            assert "success" not in answer.json()

    def test_is_not_about_what_others_laid_down(self, anonymous: Any, student: Any) -> None:
        form = f"username={student.email}&password={PASSWORD}"
        kind = "application/x-www-form-urlencoded"
        assert "access_token" in anonymous.post("/api/v1/auth/token", form, content_type=kind).json()
        assert anonymous.get("/api/v1/health").json() == {"status": "ok"}

    def test_is_not_about_empty_answers_and_files(self, client_of: ClientOf, instructor: Any) -> None:
        course = CourseFactory(instructor=instructor)
        gone = client_of(instructor).delete(f"{COURSES}/{course.pk}")
        assert (gone.status_code, gone.content) == (204, b"")

    def test_goes_together_with_tags_and_keys(self, client_of: ClientOf, instructor: Any) -> None:
        client = client_of(instructor)
        first, again = (client.post(COURSES, {"title": "Knots"}, HTTP_IDEMPOTENCY_KEY="k") for _ in range(2))
        assert first.content == again.content
        where = f"{COURSES}/{first.json()['data']['id']}"
        tag = client.get(where)["ETag"]
        assert client.patch(where, {"title": "Bends"}, headers={"If-Match": tag}).status_code == 200
        assert client.patch(where, {"title": "Knots"}, headers={"If-Match": tag}).status_code == 412

    def test_is_in_the_schema_as_it_is_in_the_answers(self) -> None:
        out = io.StringIO()
        call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
        paths = json.loads(out.getvalue())["paths"]

        def shape(path: str, verb: str, status: str) -> Any:
            return paths[f"/api/v1/{path}"][verb]["responses"][status]["content"]["application/json"][
                "schema"
            ]

        assert shape("courses", "post", "201")["required"] == ["success", "data", "message"]
        assert "$ref" in shape("auth/token", "post", "200")
        assert "x-enveloped" not in out.getvalue()
