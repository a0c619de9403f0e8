"""Who may do what, over HTTP: every route of the API for every role."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, include, path, reverse

from smartcourse.api.viewsets import ContextViewSet
from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.matrix import ADMIN, BODIES, DRAFT, PUBLISHED, Row, ask, rows_of
from smartcourse.tests.world import ROLES, World

ROWS = list(rows_of(PUBLISHED))
DRAFT_ROWS = list(rows_of(DRAFT))
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def answers(row: Row, world: World, client_of: ClientOf) -> dict[str, int]:
    return {role: ask(client_of(world.people[role]), row, world) for role in row.statuses}


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (method, route) of everything under /api/v1."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif route.startswith("api/v1/"):
            yield from ((method, route) for method in methods_of(entry))


def methods_of(entry: URLPattern) -> set[str]:
    callback: Any = entry.callback
    named = getattr(callback, "actions", None)
    return {
        method
        for method in METHODS
        if (method.lower() in named if named else hasattr(callback.cls, method.lower()))
    }


@pytest.mark.django_db
class TestPublishedCourse:
    @pytest.mark.parametrize("row", ROWS, ids=str)
    def test_answers_everybody_as_the_matrix_says(
        self, row: Row, world: World, client_of: ClientOf, settings: Any
    ) -> None:
        settings.DOCS_ARE_PUBLIC = False
        assert answers(row, world, client_of) == row.statuses


@pytest.mark.django_db
class TestDraft:
    published = False

    @pytest.mark.parametrize("row", DRAFT_ROWS, ids=str)
    def test_answers_everybody_as_the_matrix_says(self, row: Row, world: World, client_of: ClientOf) -> None:
        assert answers(row, world, client_of) == row.statuses


@pytest.mark.django_db
class TestOtherMethods:
    @pytest.mark.parametrize("template", sorted({row.template for row in ROWS if "?" not in row.template}))
    def test_are_not_allowed_to_anybody(self, template: str, world: World, client_of: ClientOf) -> None:
        _, route = Row(f"GET {template}", {}).action()
        others = METHODS - {method for method, named in routes() if named == route}
        for role in ("AN", "AD"):
            client = client_of(world.people[role])
            assert {ask(client, Row(f"{method} {template}", {}), world) for method in others} <= {405}
            assert client.trace(world.path(template)).status_code == 405


class Unlisted(ContextViewSet):
    """An endpoint that nobody wrote into the table."""

    def retrieve(self, request: Any, **_path: Any) -> Any:
        raise NotImplementedError


class UnlistedUrls:
    urlpatterns: ClassVar[list[Any]] = [
        path("", include("smartcourse.urls")),
        path("api/v1/unlisted/<uuid:pk>", Unlisted.as_view({"get": "retrieve"})),
    ]


def cells() -> int:
    """Return how many answers the tables name."""
    return sum(len(row.statuses) for row in (*ROWS, *DRAFT_ROWS))


@pytest.mark.django_db
class TestHead:
    @pytest.mark.parametrize("row", [row for row in ROWS if row.method == "GET"], ids=str)
    def test_opens_no_more_than_reading_does(
        self, row: Row, world: World, client_of: ClientOf, settings: Any
    ) -> None:
        settings.DOCS_ARE_PUBLIC = False
        asked = Row(row.name.replace("GET", "HEAD", 1), row.statuses)
        assert answers(asked, world, client_of) == row.statuses


class TestTable:
    def test_names_every_action_of_the_api_and_no_other(self) -> None:
        assert {row.action() for row in ROWS} == set(routes())

    def test_has_a_row_for_every_body(self) -> None:
        assert set(BODIES) <= {row.name for row in ROWS}

    def test_is_missed_by_a_route_that_is_not_listed(self, settings: Any) -> None:
        settings.ROOT_URLCONF = UnlistedUrls
        assert set(routes()) - {row.action() for row in ROWS} == {("GET", "api/v1/unlisted/<uuid:pk>")}

    def test_is_as_large_as_it_is(self, capsys: Any) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\nthe matrix: {len(ROWS)} + {len(DRAFT_ROWS)} rows, {cells()} cells\n")
        assert all(set(row.statuses) == set(ROLES) for row in ROWS)


def lists_open_to(role: str, world: World) -> set[str]:
    """Return the models whose list that role may open; whoever has no business in the admin is sent to the log-in."""
    client = Client()
    if user := world.people[role]:
        client.force_login(user)
    opened = set()
    for model in admin.site._registry:
        answer = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        outside = role in {"AN", "ST", "EN", "OS"}
        assert answer.status_code in ({302} if outside else {200, 403})
        assert not outside or answer["Location"].startswith(reverse("admin:login"))
        if answer.status_code == 200:
            opened.add(model._meta.label)
    return opened


@pytest.mark.django_db
class TestAdmin:
    def test_registers_what_the_table_names(self) -> None:
        assert {model._meta.label for model in admin.site._registry} == set(ADMIN)

    def test_is_missed_by_a_model_that_is_not_listed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(admin.site, "_registry", dict(admin.site._registry))
        admin.site.register(LogEntry)
        assert {model._meta.label for model in admin.site._registry} - set(ADMIN) == {"admin.LogEntry"}

    @pytest.mark.parametrize("role", ROLES)
    def test_opens_to_each_role_the_lists_of_the_table(self, role: str, world: World) -> None:
        assert lists_open_to(role, world) == {label for label, roles in ADMIN.items() if role in roles}

    def test_shows_another_instructor_none_of_the_rows(self, world: World) -> None:
        counts = {role: rows_listed_for(world.people[role]) for role in ("IO", "OI")}
        assert all(
            counts["IO"][label] for label in ("courses.Course", "enrollments.Enrollment", "courses.Quiz")
        )
        assert {label for label, count in counts["OI"].items() if count} == set()


def rows_listed_for(user: Any) -> dict[str, int]:
    client = Client()
    client.force_login(user)
    urls = {
        label: reverse(f"admin:{label.lower().replace('.', '_')}_changelist")
        for label, roles in ADMIN.items()
        if "IO" in roles
    }
    return {label: client.get(url).context["cl"].result_count for label, url in urls.items()}
