"""Every route of the API, as the resolver has it, refuses what is wrong in one and the same way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import resolve
from rest_framework.views import APIView

from courses.tests.factories import CourseFactory
from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.test_matrix import METHODS, routes

pytestmark = pytest.mark.django_db
ID = "0190a6c4-0000-7000-8000-000000000000"
MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
PAGES = {"api/v1/docs", "api/v1/schema"}
# They ask nobody, and refuse nothing.
OPEN = {"api/v1/health", "api/v1/ready"}


def address(route: str) -> str:
    """Return an address of the route, by an id that nothing has."""
    filled = [
        ID if word.startswith("<") else word for word in route.replace("<role:role>", "staff").split("/")
    ]
    return "/" + "/".join(filled)


ROUTES = sorted(set(routes()))
PATHS = sorted({route for _, route in ROUTES})
WRITES = [(method, route) for method, route in ROUTES if method != "GET"]


def view_of(method: str, route: str) -> tuple[Any, str]:
    callback: Any = resolve(address(route)).func
    return callback.cls, getattr(callback, "actions", {}).get(method.lower(), "")


def check_problem(answer: Any, status: int, code: str | None = None) -> Any:
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), (
        answer.content
    )
    body = answer.json()
    assert set(body) >= MEMBERS
    assert (body["status"], body["request_id"]) == (status, answer["X-Request-Id"])
    assert code is None or body["code"] == code
    return body


def takes(method: str, route: str, kind: str) -> bool:
    view, _ = view_of(method, route)
    return any(parser.media_type == kind for parser in view.parser_classes)


@pytest.fixture
def admin_client(client_of: ClientOf, administrator: Any) -> Any:
    client = client_of(administrator)
    client.raise_request_exception = False
    return client


class TestEveryRoute:
    @pytest.mark.parametrize("route", PATHS)
    def test_names_the_methods_it_knows(self, route: str, admin_client: Any) -> None:
        known = {method for method, named in ROUTES if named == route}
        for method in METHODS - known:
            answer = admin_client.generic(method, address(route))
            check_problem(answer, 405, "method_not_allowed")
            assert known <= set(answer["Allow"].split(", "))

    @pytest.mark.parametrize(("method", "route"), ROUTES)
    def test_answers_in_no_language_but_its_own(self, method: str, route: str, admin_client: Any) -> None:
        if route in PAGES:
            pytest.skip("a page is asked for as one")
        answer = admin_client.generic(method, address(route), HTTP_ACCEPT="application/xml")
        check_problem(answer, 406, "not_acceptable")

    @pytest.mark.parametrize(("method", "route"), WRITES)
    def test_reads_no_other_type_of_body(self, method: str, route: str, admin_client: Any) -> None:
        answer = admin_client.generic(method, address(route), b"<a/>", "application/xml")
        # Whoever is hidden a thing learns first that it is not there.
        assert answer.status_code in (404, 415)
        check_problem(answer, answer.status_code)

    @pytest.mark.parametrize(("method", "route"), WRITES)
    @pytest.mark.parametrize(
        "body", [b"{", b"\xff\xfe{}", b'{"a": 1, "a": 2}', b"[1]", b'"text"', b"7", b'{"unheard_of": 1}']
    )
    def test_takes_no_body_that_it_does_not_understand(
        self, method: str, route: str, body: bytes, admin_client: Any
    ) -> None:
        if not takes(method, route, "application/json"):
            pytest.skip("it takes a form")
        answer = admin_client.generic(method, address(route), body, "application/json")
        assert answer.status_code in (400, 404)
        told = check_problem(answer, answer.status_code)
        if answer.status_code == 400 and b"unheard_of" in body:
            assert ("unheard_of", "unknown_field") in {(e["field"], e["code"]) for e in told["errors"]}

    @pytest.mark.parametrize(("method", "route"), ROUTES)
    def test_says_that_the_database_is_away(
        self, method: str, route: str, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if route in OPEN:
            pytest.skip("it says so in its own way")

        def away(*_: Any) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(APIView, "perform_authentication", away)
        answer = client.generic(method, address(route))
        check_problem(answer, 503, "unavailable")
        assert answer["Retry-After"] == "5"

    @pytest.mark.parametrize(("method", "route"), ROUTES)
    def test_tells_nothing_of_a_bug(self, method: str, route: str, monkeypatch: pytest.MonkeyPatch) -> None:
        if route in OPEN:
            pytest.skip("there is nothing in it that could be broken from outside")

        def broken(*_: Any) -> None:
            raise ZeroDivisionError("the secret ingredient")

        monkeypatch.setattr(APIView, "perform_authentication", broken)
        answer = Client(raise_request_exception=False).generic(method, address(route))
        assert "ingredient" not in json.dumps(check_problem(answer, 500, "internal_error"))

    @pytest.mark.parametrize(
        "route", [route for method, route in ROUTES if method == "GET" and route not in OPEN]
    )
    def test_answers_a_head_as_a_get(self, route: str, monkeypatch: pytest.MonkeyPatch) -> None:
        client = Client(raise_request_exception=False)
        head, get = client.head(address(route)), client.get(address(route))
        assert (head.status_code, head["Content-Type"], head.content) == (
            get.status_code, get["Content-Type"], b"",
        )  # fmt: skip


def bodiless() -> Iterator[tuple[str, str]]:
    for method, route in WRITES:
        view, action = view_of(method, route)
        if action not in view.inputs:
            yield method, route


class TestWithoutInput:
    @pytest.mark.parametrize(("method", "route"), sorted(bodiless()))
    def test_an_empty_object_is_as_good_as_nothing(
        self, method: str, route: str, client_of: ClientOf, administrator: Any
    ) -> None:
        client = client_of(administrator)
        statuses = {
            client.generic(method, address(route), body, "application/json").status_code
            for body in (b"", b"{}")
        }
        assert len(statuses) == 1
        assert 400 not in statuses


class TestFields:
    def test_are_named_however_deep_they_lie(self, client_of: ClientOf, instructor: Any) -> None:
        course = CourseFactory(instructor=instructor)
        good = {"kind": "true_false", "prompt": "Is it?", "key": True}
        body = {
            "lesson_id": ID, "pass_percentage": "many",
            "questions": [good, {**good, "points": 0, "choices": [{"key": "a", "text": "A"}, {"key": "b"}], "x": 1}],
        }  # fmt: skip
        answer = client_of(instructor).post(f"/api/v1/courses/{course.pk}/quizzes", body, format="json")
        fields = {row["field"] for row in check_problem(answer, 400, "invalid")["errors"]}
        assert {"pass_percentage", "questions.1.x"} <= fields
        body["questions"][1].pop("x")  # type: ignore[index,attr-defined]  # it is a list of dicts
        answer = client_of(instructor).post(f"/api/v1/courses/{course.pk}/quizzes", body, format="json")
        fields = {row["field"] for row in answer.json()["errors"]}
        assert fields == {"pass_percentage", "questions.1.points", "questions.1.choices.1.text"}

    def test_of_a_list_are_counted(self, client_of: ClientOf, instructor: Any) -> None:
        answer = client_of(instructor).post("/api/v1/courses", {"title": "Knots", "goals": ["a", "x" * 201]})
        assert [row["field"] for row in check_problem(answer, 400)["errors"]] == ["goals.1"]

    @pytest.mark.parametrize("query", ["instructor=me", "instructor=1", "level=wizard", "min_price=cheap"])
    def test_of_a_filter_are_named(self, anonymous: Any, query: str) -> None:
        answer = anonymous.get(f"/api/v1/courses?{query}")
        assert [row["field"] for row in check_problem(answer, 400)["errors"]] == [query.partition("=")[0]]
