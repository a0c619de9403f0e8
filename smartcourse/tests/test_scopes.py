"""What API keys open: nothing by default, and never more than their owner may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import resolve
from django.utils import timezone

from accounts import services
from accounts.models import ApiKeyScope
from accounts.tests.signing_in import bearer
from smartcourse.api.permissions import Anybody
from smartcourse.api.scopes import CLOSED, scope_of
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.tests.matrix import PUBLISHED, Row, ask, rows_of
from smartcourse.tests.test_consistency import actions
from smartcourse.tests.test_matrix import routes
from smartcourse.tests.world import World

ROWS = [row for row in rows_of(PUBLISHED) if "signature" not in row.name]
# Signed by themselves, or told to machines: they ask nobody who they are.
WITHOUT_A_CALLER = {"GET health", "GET ready"}
FOR_SESSIONS_ONLY = {"GET schema", "GET docs"}


def client_with(user: Any, *scopes: str) -> Any:
    made = services.create_api_key(
        user_id=user.pk, name="Test", scopes=scopes, expires_at=timezone.now() + timedelta(days=1),
        at=timezone.now(),
    )  # fmt: skip
    return bearer(made.key)


def view_of(row: Row, world: World) -> Any:
    return getattr(resolve(world.path(row.template).split("?")[0]).func, "cls", None)


def asks_who(row: Row, view: Any, world: World) -> bool:
    match = resolve(world.path(row.template).split("?")[0])
    action = match.func.actions[row.method.lower()]  # type: ignore[attr-defined]  # as_view() of a viewset sets it
    return not (view.scope == CLOSED and Anybody in view.permissions.get(action, []))


class TestDeclarations:
    def test_every_endpoint_says_what_opens_it(self) -> None:
        known = {value.split(":")[0] for value in ApiKeyScope.values} | {CLOSED}
        assert {view.__name__ for _, view, _ in actions() if view.scope not in known} == set()

    def test_no_scope_is_wanted_that_nobody_can_hold(self) -> None:
        wanted = {
            scope_of(view, method)
            for path, view, _ in actions()
            for method, route in routes()
            if route == path
        }
        assert wanted - {CLOSED} <= set(ApiKeyScope.values)

    def test_no_scope_can_be_held_that_opens_nothing(self) -> None:
        views = {view for _, view, _ in actions()}
        assert {value.split(":")[0] for value in ApiKeyScope.values} <= {view.scope for view in views}

    def test_accounts_are_closed(self) -> None:
        assert {view.scope for path, view, _ in actions() if path.startswith("api/v1/auth/")} == {CLOSED}

    def test_what_declares_nothing_is_closed(self) -> None:
        assert scope_of(ContextViewSet(), "GET") == CLOSED


@pytest.mark.full
@pytest.mark.django_db
class TestMatrix:
    @pytest.mark.parametrize("row", ROWS, ids=str)
    def test_with_every_scope_answers_as_to_the_owner_but_for_accounts(
        self, row: Row, world: World, settings: Any
    ) -> None:
        settings.DOCS_ARE_PUBLIC = False
        view = view_of(row, world)
        for role in ("EN", "IO", "AD"):
            answer = ask(client_with(world.role(role), *ApiKeyScope.values), row, world)
            if row.name in FOR_SESSIONS_ONLY:
                assert answer == 401
            elif row.name not in WITHOUT_A_CALLER and view.scope == CLOSED and asks_who(row, view, world):
                assert answer == 403
            else:
                assert answer == row.statuses[role], role

    @pytest.mark.parametrize("row", ROWS, ids=str)
    def test_with_another_scope_answers_nobody(self, row: Row, world: World) -> None:
        view = view_of(row, world)
        if row.name in WITHOUT_A_CALLER | FOR_SESSIONS_ONLY or not asks_who(row, view, world):
            return
        needed = scope_of(view, row.method)
        others = [scope for scope in ApiKeyScope.values if scope != needed]
        assert ask(client_with(world.role("AD"), *others), row, world) == 403
