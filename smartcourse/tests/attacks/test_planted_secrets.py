"""Secrets are planted by every write there is, and then looked for wherever something is written down."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import ApiKeyScope
from accounts.tests.factories import PASSWORD
from accounts.tests.signing_in import bearer, log_in
from smartcourse.api.scopes import CLOSED
from smartcourse.queues import dispatch
from smartcourse.tests.matrix import BODIES, FORMS, PUBLISHED, Row, rows_of
from smartcourse.tests.test_trespass import view_of
from smartcourse.tests.world import World

pytestmark = pytest.mark.django_db

Nowhere = Callable[[str], bool]
# What nobody may do writes nothing.
WRITES = [row for row in rows_of(PUBLISHED) if row.method != "GET" and min(row.statuses.values()) < 400]
SECRET = re.compile(r"password|token|secret|^code$|^key$|recovery", re.IGNORECASE)
# Named like a secret, and none: what kind of token it is, and words about one.
NO_SECRET = {"token_type", "previous_secret_expires_at", "secret_expires_at"}


def secrets_in(value: Any, name: str = "") -> Iterator[str]:
    """Yield every text in a body or an answer that is named like a secret."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from secrets_in(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from secrets_in(inner, name)
    elif isinstance(value, str) and len(value) > 5 and SECRET.search(name) and name not in NO_SECRET:
        yield value


def tables_with(word: str) -> set[str]:
    """Return the tables of the database that hold the word in any column of any row."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = [
            f"SELECT {cursor.mogrify('%s', [table])} WHERE EXISTS "  # noqa: S608 - names from the catalogue
            f'(SELECT 1 FROM "{table}" AS r WHERE strpos(r::text, {cursor.mogrify("%s", [word])}) > 0)'
            for table in tables
        ]
        cursor.execute(" UNION ALL ".join(found))
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was handed to the broker."""
    messages: list[str] = []

    def send_now(task: str, /, **message: Any) -> bool:
        messages.append(json.dumps([task, message], default=str))
        return True

    monkeypatch.setattr(dispatch, "send_now", send_now)
    return messages


def write(client: Any, row: Row, world: World, body: Any) -> Any:
    kind = FORMS.get(row.name)
    how = {"content_type": kind} if kind else {"format": "multipart" if body and "file" in body else "json"}
    if row.method == "POST" and not is_keyless(row):
        how["HTTP_IDEMPOTENCY_KEY"] = uuid4().hex
    return getattr(client, row.method.lower())(
        world.path(row.template), urlencode(body) if kind else body, **how
    )


def sign_in(row: Row, world: World) -> tuple[Any, dict[str, Any]]:
    """Sign in who may do what the row says, and return the client with what the log-in answered."""
    allowed = [
        role for role, status in row.statuses.items() if status < 400 and role not in ("AN", "ST")
    ] or ["ST"]
    answer: dict[str, Any] = log_in(world.people[allowed[0]])
    if "access_token" in answer:
        return bearer(answer["access_token"]), answer
    # One with a second factor, who would be only half way in.
    client = APIClient()
    client.force_authenticate(world.people[allowed[0]])
    return client, answer


@pytest.fixture
def is_nowhere(sent: list[str], caplog: pytest.LogCaptureFixture) -> Nowhere:
    """Look for a secret in every table, message and line of the log."""

    def look(secret: str) -> bool:
        logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
        assert tables_with(secret) == set()
        return secret not in "".join(sent) + logged

    return look


def is_keyless(row: Row) -> bool:
    view = view_of(row)
    return getattr(view, "actions", {}).get("post") in view.cls.keyless


@pytest.mark.full
class TestSecrets:
    @pytest.mark.parametrize("row", WRITES, ids=str)
    def test_are_written_down_nowhere(
        self, row: Row, world: World, is_nowhere: Nowhere, django_capture_on_commit_callbacks: Any
    ) -> None:
        client, signed_in = sign_in(row, world)
        body = BODIES[row.name](world) if row.name in BODIES else None
        with django_capture_on_commit_callbacks(execute=True):
            answer = write(client, row, world, body)
        assert answer.status_code < 400, answer.content
        told = answer.json() if answer.content and "json" in answer["Content-Type"] else {}
        planted = {PASSWORD, *secrets_in(signed_in), *secrets_in(body or {}), *secrets_in(told)}
        assert all(map(is_nowhere, planted))

    @pytest.mark.parametrize("row", [row for row in WRITES if view_of(row).cls.scope != CLOSED], ids=str)
    def test_of_an_api_key_are_written_down_nowhere(
        self, row: Row, world: World, is_nowhere: Nowhere, django_capture_on_commit_callbacks: Any
    ) -> None:
        role = next(role for role, status in row.statuses.items() if status < 400 and role != "AN")
        now = timezone.now()
        key = services.create_api_key(
            user_id=world.people[role].pk,
            name="Test",
            scopes=ApiKeyScope.values,
            expires_at=now + timedelta(1),
            at=now,
        ).key
        with django_capture_on_commit_callbacks(execute=True):
            answer = write(bearer(key), row, world, BODIES[row.name](world) if row.name in BODIES else None)
        assert answer.status_code < 400, answer.content
        assert is_nowhere(key.rpartition("_")[2])

    @pytest.mark.parametrize("row", [row for row in WRITES if row.name in BODIES], ids=str)
    def test_that_are_wrong_are_written_down_nowhere(
        self, row: Row, world: World, is_nowhere: Nowhere
    ) -> None:
        """A wrong password is often the right one somewhere else."""
        client, _ = sign_in(row, world)
        body = {
            name: f"Wrong-{uuid4().hex}" if SECRET.search(name) and isinstance(value, str) else value
            for name, value in BODIES[row.name](world).items()
        }
        answer = write(client, row, world, body)
        for wrong in secrets_in(body):
            assert is_nowhere(wrong)
            assert wrong not in answer.content.decode()

    @pytest.mark.parametrize("row", [row for row in WRITES if row.name in BODIES], ids=str)
    def test_are_not_told_by_a_refusal(self, row: Row, world: World) -> None:
        client, _ = sign_in(row, world)
        body = BODIES[row.name](world) | {"unheard_of": "x"}
        answer = write(client, row, world, body)
        assert answer.status_code == 400
        for secret in {PASSWORD, *secrets_in(body)}:
            assert secret not in answer.content.decode()

    def test_would_be_found(self, world: World) -> None:
        assert tables_with(world.role("EN").full_name) >= {"accounts_user"}
        assert tables_with(world["session"]) == {"accounts_session", "accounts_refreshtoken"}
