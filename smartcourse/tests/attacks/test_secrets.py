"""Secrets sent to every write, and then looked for wherever they have no business."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import ApiKeyScope
from accounts.tests.factories import PASSWORD
from smartcourse.queues import dispatch
from smartcourse.tests.matrix import BODIES, PUBLISHED, Body, Row, rows_of
from smartcourse.tests.test_trespass import input_of
from smartcourse.tests.world import World, sign_in

pytestmark = pytest.mark.django_db
WRITES = [row for row in rows_of(PUBLISHED) if row.method != "GET"]
PLANTED = "planted-Zq7-never-to-be-told"
SECRET_FIELDS = {"password", "current_password", "new_password", "token", "refresh_token"}
# The secret of an endpoint signs what we send, so we must have it: these two columns are where it lives.
KEPT = {"webhooks_endpoint": ("secret", "previous_secret")}


@dataclass
class Places:
    """Everywhere that something may have been left; `messages` are those of the tasks."""

    messages: list[str] = field(default_factory=list)

    def words(self) -> Iterator[tuple[str, str]]:
        yield from (("a task's message", text) for text in self.messages)
        yield from (("a mail", str(sent.message())) for sent in mail.outbox)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Places:
    found = Places()

    def enqueue(task: str, /, *, queue: str, arguments: Any, request_id: str = "") -> bool:
        found.messages.append(json.dumps([task, queue, arguments, request_id], default=str))
        return True

    monkeypatch.setattr(dispatch, "send_now", enqueue)
    return found


def tables_with(secrets: list[str]) -> set[str]:
    """Return the tables with any of the secrets in a row: as text, or as bytes, which PostgreSQL tells in hex."""
    told = [*secrets, *(secret.encode().hex() for secret in secrets)]
    found = set()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table, kept = model._meta.db_table, list(KEPT.get(model._meta.db_table, ()))
            cursor.execute(
                f'SELECT 1 FROM "{table}" AS t, unnest(%s::text[]) AS s '  # noqa: S608 - the name of a model's table
                "WHERE strpos((to_jsonb(t) - %s::text[])::text, s) > 0 LIMIT 1",
                [told, kept],
            )
            if cursor.fetchone():
                found.add(table)
    return found


def callers(row: Row, world: World) -> Iterator[tuple[str, str]]:
    """Yield (credential, how it is sent) of somebody whom the row lets in: an access token, and an API key."""
    role = next((role for role, status in row.statuses.items() if status < 300 and role != "AN"), "AD")
    person = world.people[role]
    assert person is not None
    yield sign_in(person).access_token, "Bearer {}"
    yield services.create_api_key(
        user_id=person.pk, name="Sync", scopes=ApiKeyScope.values, expires_at=timezone.now() + timedelta(days=1),
        at=timezone.now(),
    ).key, "Bearer {}"  # fmt: skip


def sent_to(row: Row, world: World) -> Iterator[Body]:
    """Yield what the row takes, with secrets that are right; and then with such as are wrong or out of place."""
    right = BODIES[row.name](world) if row.name in BODIES else {}
    yield right
    if "file" in right:
        return
    yield {name: PLANTED if name in SECRET_FIELDS else value for name, value in right.items()}
    taken = input_of(row)
    for name in taken().fields if taken else ():
        yield right | {name: PLANTED}
    yield right | {"password": PLANTED, "token": PLANTED, PLANTED[:7]: PLANTED}


def told_by(answer: Any) -> list[str]:
    """Return the secrets that an answer gives to whom they belong; nobody else is to find them afterwards."""
    if answer.status_code >= 300 or not answer.content:
        return []
    body = answer.json()
    return [body[name] for name in ("access_token", "refresh_token", "key", "secret") if name in body]


@pytest.mark.parametrize("row", WRITES, ids=str)
class TestWrites:
    def test_leave_no_secret_behind(
        self, row: Row, world: World, places: Places, caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str], django_capture_on_commit_callbacks: Callable[..., Any],
    ) -> None:  # fmt: skip
        known = [PASSWORD, "staple battery horse", "a long enough phrase"]
        known += [world.words[name] for name in ("refresh_token", "reset", "email_change", "verification")]
        with transaction.atomic():
            leaks, secrets = self.everything_sent(row, world, django_capture_on_commit_callbacks, known)
            transaction.set_rollback(True)
        logged = capfd.readouterr()
        for place, text in [("the log", logged.out + logged.err + caplog.text), *places.words()]:
            # A mail is where a link to a new password belongs; what is planted belongs nowhere.
            leaks |= {place for secret in secrets if secret in text}
        assert leaks == set()

    def everything_sent(
        self, row: Row, world: World, commits: Callable[..., Any], known: list[str]
    ) -> tuple[set[str], list[str]]:
        leaks: set[str] = set()
        secrets = list(known)
        for credential, form in callers(row, world):
            secrets.append(credential)
            client = APIClient(HTTP_AUTHORIZATION=form.format(credential))
            for body in sent_to(row, world):
                with transaction.atomic():
                    with commits(execute=True):
                        answer = client.generic(
                            row.method, world.path(row.template), json.dumps(body, default=str).encode(),
                            content_type="application/json", HTTP_IDEMPOTENCY_KEY=uuid4().hex,
                        )  # fmt: skip
                    secrets += told_by(answer)
                    # What was planted as a title is a title.
                    hidden = [*secrets, PLANTED] if self.is_secret(body) else secrets
                    leaks |= tables_with(hidden)
                    if answer.status_code >= 400 and any(s in answer.content.decode() for s in hidden):
                        leaks.add("a refusal")
                    transaction.set_rollback(True)
        return leaks, [*secrets, PLANTED]

    @staticmethod
    def is_secret(body: Body) -> bool:
        planted = {name for name, value in body.items() if value == PLANTED}
        return bool(planted) and planted <= {*SECRET_FIELDS, PLANTED[:7]}


class TestAdminsLog:
    def test_holds_no_password(self, administrator: Any, student: Any) -> None:
        client = Client()
        client.force_login(administrator)
        form = {"old_password": PASSWORD, "new_password1": PLANTED, "new_password2": PLANTED}
        assert client.post("/admin/password_change/", form).status_code == 302
        assert not tables_with([PLANTED, PASSWORD])
        assert PLANTED not in repr(list(LogEntry.objects.values()))


class TestLooking:
    """Or the above would find nothing because it cannot."""

    def test_finds_what_is_there_in_text_and_in_bytes(self, world: World) -> None:
        assert tables_with([world.role("EN").email]) >= {"accounts_user"}
        assert tables_with([world["enrollment"]]) >= {"enrollments_enrollment"}

    def test_finds_a_secret_of_an_endpoint_but_where_it_is_kept(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        secret = world.rows["hook"].secret
        assert tables_with([secret]) == set()
        monkeypatch.setitem(KEPT, "webhooks_endpoint", ())
        assert tables_with([secret]) == {"webhooks_endpoint"}
