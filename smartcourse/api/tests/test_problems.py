"""Whatever goes wrong is told as a problem document (RFC 9457), with a stable code, and without our insides."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from django.test import Client
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from smartcourse import errors
from smartcourse.api.permissions import Anybody
from smartcourse.api.problems import STATUS_OF_KIND, status_of
from smartcourse.api.schema import error_kinds
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.urls import handler400, handler403, handler404, handler500
from smartcourse.urls import urlpatterns as product

# This module stands in for the product's addresses, and Django looks for the handlers beside them.
__all__ = ["handler400", "handler403", "handler404", "handler500"]

MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}


class Teapot(errors.Conflict):
    """For the test: a concrete error of a kind."""

    code = "teapot"
    message = "It is short and stout."


class Breaking(APIView):
    authentication_classes = ()
    permission_classes = (Anybody,)

    def get(self, request: Request) -> Response:
        raise {"domain": Teapot(spout="left"), "bug": ZeroDivisionError("the secret ingredient")}[
            request.GET["by"]
        ]


class Undeclared(ContextViewSet):
    authentication_classes = ()
    permissions: ClassVar[dict[str, Any]] = {}

    def look(self, request: Request) -> Response:
        return Response("seen")


urlpatterns = [
    path("api/v1/breaking", Breaking.as_view()),
    path("api/v1/undeclared", Undeclared.as_view({"get": "look"})),
    *product,
]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
class TestProblems:
    def ask(self, address: str, **kwargs: Any) -> Any:
        return Client(raise_request_exception=False).get(address, **kwargs)

    def test_a_domain_error_has_the_status_of_its_kind_and_its_facts(self) -> None:
        answer = self.ask("/api/v1/breaking?by=domain")
        assert answer["Content-Type"] == "application/problem+json"
        body = answer.json()
        assert set(body) == MEMBERS | {"spout"}
        assert (answer.status_code, body["code"], body["detail"]) == (409, "teapot", "It is short and stout.")
        assert body["request_id"] == answer["X-Request-Id"]

    def test_a_bug_is_told_without_our_insides(self) -> None:
        answer = self.ask("/api/v1/breaking?by=bug")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        assert "ingredient" not in answer.content.decode()
        assert "Traceback" not in answer.content.decode()

    def test_an_action_that_declares_nobody_lets_nobody_in(self) -> None:
        assert self.ask("/api/v1/undeclared").status_code in (401, 403)

    @pytest.mark.parametrize("address", ["/api/v1/nothing", "/api/v1/courses/", "/api/v2/courses", "/api/v1"])
    def test_an_unknown_address_is_a_problem_too(self, address: str) -> None:
        answer = self.ask(address)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")

    @pytest.mark.parametrize(
        "address", ["auth/login", "auth/me", "users/%s" % ("0" * 8 + "-0000" * 3 + "-" + "0" * 12), "courses"]
    )
    def test_options_tells_the_methods_and_nothing_else(self, address: str) -> None:
        answer = Client(raise_request_exception=False).options(f"/api/v1/{address}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert "OPTIONS" in answer["Allow"]

    def test_a_method_that_the_address_does_not_know_is_a_405(self) -> None:
        for method in ("delete", "put", "patch"):
            answer = getattr(Client(), method)("/api/v1/courses")
            assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json"), method

    def test_and_so_it_is_for_who_comes_with_a_token_that_is_none(self) -> None:
        answer = Client().delete("/api/v1/auth/login", headers={"Authorization": "Bearer nothing"})
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


DEEP = '{"a":' * 2000 + "1" + "}" * 2000


@pytest.mark.django_db
class TestHostileInput:
    @pytest.mark.parametrize(
        "body",
        ["", "{", "null", "[]", '"text"', "7", "NaN", '{"email": NaN}', '{"email": Infinity}', DEEP, "[" * 100_000,
         "[1e400]", '{"email": -1e400}',
         '{"email": "\\ud800"}', '{"\\ud800": 1}', '{"email": "\\u0000"}', "\xff\xfe", '{"email": {"$ne": 1}}'],
    )  # fmt: skip
    @pytest.mark.parametrize("address", ["/api/v1/auth/login", "/api/v1/auth/register"])
    def test_is_a_400(self, address: str, body: str) -> None:
        client = Client(raise_request_exception=False)
        answer = client.post(address, body.encode("latin-1"), content_type="application/json")
        assert answer.status_code == 400, answer.content
        assert answer.json()["code"] in ("malformed", "invalid", "parse_error")

    @pytest.mark.parametrize(
        "body",
        [
            b"username=%00&password=x",
            b"%%%&=&&=",
            b"\xff\xfe=\x00",
            b"",
            b"&".join(b"a%d=1" % n for n in range(2000)),
        ],
    )
    def test_in_a_form_is_a_400(self, body: bytes) -> None:
        form = "application/x-www-form-urlencoded"
        answer = Client(raise_request_exception=False).generic("POST", "/api/v1/auth/token", body, form)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")

    @pytest.mark.parametrize("charset", ["idna", "punycode", "utf-7", "utf-16", "unheard-of"])
    @pytest.mark.parametrize(
        ("address", "kind", "body"),
        [("login", "application/json", b'{"email": "a@example.org", "password": "wrong password"}'),
         ("token", "application/x-www-form-urlencoded", b"username=a%40example.org&password=wrong+password")],
    )  # fmt: skip
    def test_by_a_charset_is_not_listened_to(
        self, address: str, kind: str, body: bytes, charset: str
    ) -> None:
        client = Client(raise_request_exception=False)
        answer = client.generic("POST", f"/api/v1/auth/{address}", body, f"{kind}; charset={charset}")
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")

    @pytest.mark.parametrize(
        ("length", "status"), [("abc", 400), ("-5", 400), ("", 400), ("3", 400), ("9" * 25, 413)]
    )
    def test_of_a_length_that_is_none(self, length: str, status: int) -> None:
        client, body = (
            Client(raise_request_exception=False),
            b'{"email": "a@example.org", "password": "wrong one"}',
        )
        answer = client.generic("POST", "/api/v1/auth/login", body, "application/json", CONTENT_LENGTH=length)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")

    @pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
    def test_of_too_many_bytes_is_a_413(self, settings: Any, kind: str) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        address = "login" if kind.endswith("json") else "token"
        answer = Client(raise_request_exception=False).generic(
            "POST", f"/api/v1/auth/{address}", b'"' + b"a" * 2000 + b'"', kind
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    @pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
    def test_of_another_type_is_a_415(self, kind: str) -> None:
        answer = Client(raise_request_exception=False).post("/api/v1/auth/login", b"x=y", content_type=kind)
        assert answer.status_code == 415

    @pytest.mark.parametrize(
        "address",
        ["/api/v1/courses?search=%00", "/api/v1/courses?search=%ed%a0%80", "/api/v1/courses/%00", "/verify/%00",
         "/api/v1/courses?search=" + "x" * 100_000],
    )  # fmt: skip
    def test_in_an_address_is_refused(self, address: str) -> None:
        assert Client(raise_request_exception=False).get(address).status_code in (400, 404)

    def test_an_unknown_field_is_named(self) -> None:
        body = json.dumps({"email": "a@example.org", "password": "x" * 9, "role": "admin"})
        answer = Client().post("/api/v1/auth/login", body, content_type="application/json")
        assert answer.json()["errors"] == [
            {"field": "role", "code": "unknown_field", "detail": "This field is not known."}
        ]

    def test_a_foreign_host_is_refused(self) -> None:
        answer = Client().get("/api/v1/health", headers={"host": "evil.example"})
        assert answer.status_code == 400


class TestKinds:
    def test_every_error_belongs_to_a_kind_that_has_a_status(self) -> None:
        assert [kind for kind in error_kinds() if status_of(kind) == 500] == []

    def test_no_kind_is_without_a_status(self) -> None:
        assert set(STATUS_OF_KIND) == {*errors.DomainError.__subclasses__(), errors.Unacceptable}
