"""Asking for a copy of one's data, or for its end, over HTTP and in the back office."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import PrivacyRequest, PrivacyRequestStatus, User
from accounts.tests.factories import PASSWORD
from notifications.models import Message
from smartcourse.events.models import OutboxFact
from smartcourse.processes import privacy as process
from smartcourse.workflows.models import Run, RunStatus, StepRecord
from smartcourse.workflows.services import advance, retry

pytestmark = pytest.mark.django_db
EXPORTS, ERASURE, ADMIN = "/api/v1/me/exports", "/api/v1/me/erasure", "/admin/accounts/privacyrequest/"
BODY = {"current_password": PASSWORD}


def drive(request_id: str) -> PrivacyRequest:
    request = PrivacyRequest.objects.get(pk=request_id)
    assert request.workflow_id is not None
    advance(request.workflow_id)
    request.refresh_from_db()
    return request


def let_the_grace_pass(request_id: str) -> None:
    past = timezone.now() - timedelta(seconds=1)
    StepRecord.objects.filter(run__subject_id=request_id).update(deadline_at=past)
    Run.objects.filter(subject_id=request_id).update(next_attempt_at=past)


def content_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


class TestExport:
    def test_is_made_and_had_by_a_short_lived_link(
        self, student: Any, client_of: Any, anonymous: Any, settle: Any
    ) -> None:
        client = client_of(student)
        asked = client.post(EXPORTS)
        assert (asked.status_code, asked.json()["status"]) == (202, "REQUESTED")
        url = f"{EXPORTS}/{asked.json()['id']}"
        assert client.get(f"{url}/download").status_code == 409
        assert client.get(f"/api/v1/workflows/{asked.json()['workflow_id']}").json()["status"] == "QUEUED"
        drive(asked.json()["id"])
        assert client.get(url).json()["is_ready"] is True
        way = client.get(f"{url}/download")
        assert (way.status_code, way["Cache-Control"]) == (302, "private, no-store")
        file = anonymous.get(way["Location"])
        assert file["Content-Disposition"] == 'attachment; filename="export.zip"'
        with ZipFile(io.BytesIO(content_of(file))) as archive:
            [told] = json.loads(archive.read("accounts/user.json"))
            assert (told["email"], "password" in told) == (student.email, False)
        settle()
        assert Message.objects.filter(type="export_ready", recipient=student).count() == 2

    def test_is_one_at_a_time(self, student: Any, client_of: Any) -> None:
        answers = [client_of(student).post(EXPORTS).json()["id"] for _ in range(2)]
        assert answers[0] == answers[1]
        drive(answers[0])
        assert client_of(student).post(EXPORTS).json()["id"] != answers[0]
        assert len(client_of(student).get(EXPORTS).json()["results"]) == 2

    def test_is_its_owners_alone(
        self, student: Any, stranger: Any, administrator: Any, client_of: Any
    ) -> None:
        url = f"{EXPORTS}/{client_of(student).post(EXPORTS).json()['id']}"
        for who in (stranger, administrator):
            assert client_of(who).get(url).status_code == 404
            assert client_of(who).get(f"{url}/download").status_code == 404
        assert [client_of(None).get(url).status_code, client_of(None).post(EXPORTS).status_code] == [401, 401]

    def test_takes_no_body(self, student: Any, client_of: Any) -> None:
        assert client_of(student).post(EXPORTS, {"user_id": str(student.pk)}).status_code == 400

    def test_is_not_had_by_a_link_that_is_old_or_of_another(
        self, student: Any, stranger: Any, client_of: Any, anonymous: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        links = []
        for who in (student, stranger):
            asked = client_of(who).post(EXPORTS).json()["id"]
            drive(asked)
            links.append(client_of(who).get(f"{EXPORTS}/{asked}/download")["Location"])
        (own, query), (another, _) = (link.split("?") for link in links)
        assert anonymous.get(f"{another}?{query}").status_code == 404
        assert anonymous.get(own).status_code == 404
        monkeypatch.setattr(settings, "EXPORT_LINK_LIFETIME", timedelta(seconds=-1))
        assert anonymous.get(links[0]).json()["code"] == "link_expired"

    def test_goes_after_its_days(self, student: Any, client_of: Any) -> None:
        request = drive(client_of(student).post(EXPORTS).json()["id"])
        name, now = request.archive.name, timezone.now()
        assert services.prune_exports(at=now) == 0
        assert services.prune_exports(at=now + settings.EXPORT_KEPT + timedelta(seconds=1)) == 1
        assert not default_storage.exists(name)
        request.refresh_from_db()
        assert (request.status, request.archive.name) == (PrivacyRequestStatus.EXPIRED, "")
        assert client_of(student).get(f"{EXPORTS}/{request.pk}/download").status_code == 409

    def test_made_twice_leaves_one_file(self, student: Any) -> None:
        request = services.request_export(user_id=student.pk, at=timezone.now())
        default_storage.save(f"exports/{request.pk}.zip", io.BytesIO(b"of a worker that died"))
        assert drive(str(request.pk)).archive.name == f"exports/{request.pk}.zip"

    def test_says_that_it_failed_and_is_tried_again(
        self, student: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request = services.request_export(user_id=student.pk, at=timezone.now())
        monkeypatch.setattr(settings, "WORKFLOW_RETRY_SECONDS", ())
        with monkeypatch.context() as broken:
            broken.setattr(process.accounts, "person_of", lambda **_: 1 / 0)
            request = drive(str(request.pk))
        assert request.status == PrivacyRequestStatus.FAILED
        assert request.workflow_id is not None
        run = retry(request.workflow_id)
        advance(run.pk)
        assert PrivacyRequest.objects.get(pk=request.pk).is_ready


class TestErasure:
    def test_waits_and_then_erases(self, student: Any, client_of: Any, settle: Any) -> None:
        asked = client_of(student).post(ERASURE, BODY)
        assert (asked.status_code, asked.json()["may_be_cancelled"]) == (202, True)
        drive(asked.json()["id"])
        settle()
        assert Message.objects.filter(type="erasure_scheduled", recipient=student).count() == 2
        student.refresh_from_db()
        assert student.is_active
        let_the_grace_pass(asked.json()["id"])
        assert drive(asked.json()["id"]).status == PrivacyRequestStatus.DONE
        student.refresh_from_db()
        assert (student.is_active, student.full_name) == (False, "Erased person")
        assert student.email == services.erased_address(student.pk)
        settle()
        assert not Message.objects.filter(recipient=student).exists()
        assert OutboxFact.objects.filter(type="user.erased").count() == 1

    def test_can_be_taken_back(self, student: Any, client_of: Any) -> None:
        client = client_of(student)
        asked = client.post(ERASURE, BODY).json()
        drive(asked["id"])
        assert client.get(ERASURE).json()["id"] == asked["id"]
        assert [client.delete(ERASURE).status_code for _ in range(2)] == [204, 404]
        assert client.get(ERASURE).status_code == 404
        request = drive(asked["id"])
        assert request.status == PrivacyRequestStatus.CANCELLED
        assert Run.objects.get(pk=request.workflow_id).status == RunStatus.CANCELLED
        assert not OutboxFact.objects.filter(type="workflow.failed").exists()
        assert request.workflow_id is not None
        with pytest.raises(services.NothingToTryAgain):
            retry(request.workflow_id)
        assert client.post(ERASURE, BODY).json()["id"] != asked["id"]

    def test_cannot_be_taken_back_once_it_has_begun(self, student: Any, client_of: Any) -> None:
        asked = client_of(student).post(ERASURE, BODY).json()
        PrivacyRequest.objects.get(pk=asked["id"]).begin()
        assert client_of(student).delete(ERASURE).json()["code"] == "invalid_state"
        assert Run.objects.live().filter(subject_id=asked["id"]).exists()

    def test_wants_the_password(self, student: Any, client_of: Any) -> None:
        wrong = client_of(student).post(ERASURE, {"current_password": "another one"})
        assert wrong.status_code == 422
        assert wrong.json()["errors"][0]["field"] == "current_password"
        assert client_of(student).post(ERASURE, {}).status_code == 400
        assert client_of(None).post(ERASURE, BODY).status_code == 401
        assert not PrivacyRequest.objects.exists()

    def test_is_asked_for_once(self, student: Any, client_of: Any) -> None:
        answers = [client_of(student).post(ERASURE, BODY).json()["id"] for _ in range(2)]
        assert answers[0] == answers[1]

    def test_leaves_somebody_to_run_the_place(self, administrator: Any, client_of: Any) -> None:
        assert client_of(administrator).post(ERASURE, BODY).json()["code"] == "last_administrator"

    def test_goes_on_where_it_failed(self, student: Any, administrator: Any, monkeypatch: Any) -> None:
        request = services.erase_user(
            user_id=student.pk, by=administrator, reason="Letter", at=timezone.now()
        )
        monkeypatch.setattr(settings, "WORKFLOW_RETRY_SECONDS", ())
        with monkeypatch.context() as broken:
            broken.setattr(process.accounts, "note_erased", lambda **_: 1 / 0)
            assert drive(str(request.pk)).status == PrivacyRequestStatus.FAILED
        student.refresh_from_db()
        assert (student.is_active, student.full_name) == (False, "Sofia Student")
        assert request.workflow_id is not None
        advance(retry(request.workflow_id).pk)
        student.refresh_from_db()
        assert student.full_name == "Erased person"


class TestAdmin:
    def test_erases_with_a_reason_by_administrators_alone(
        self, client: Client, staff: Any, administrator: Any, student: Any
    ) -> None:
        url, form = "/admin/accounts/user/", {"action": "erase", "_selected_action": [str(student.pk)]}
        client.force_login(staff)
        client.post(url, {**form, "reason": "Letter of 3 May"})
        assert not PrivacyRequest.objects.exists()
        client.force_login(administrator)
        assert b'name="reason"' in client.post(url, form).content
        assert client.post(url, {**form, "reason": "Letter of 3 May"}).status_code == 302
        request = PrivacyRequest.objects.get()
        assert (request.reason, request.requested_by) == ("Letter of 3 May", administrator)
        drive(str(request.pk))
        assert User.objects.get(pk=student.pk).erased_at is not None

    def test_shows_what_happened_and_changes_nothing(
        self, client: Client, staff: Any, administrator: Any, student: Any, django_assert_max_num_queries: Any
    ) -> None:
        request = services.erase_user(
            user_id=student.pk, by=administrator, reason="Letter", at=timezone.now()
        )
        drive(str(request.pk))
        client.force_login(staff)
        with django_assert_max_num_queries(12):
            assert client.get(f"{ADMIN}?q={student.pk}").status_code == 200
        page = client.get(f"{ADMIN}{request.pk}/change/").content.decode()
        assert "accounts/user: 1" in page
        assert "Letter" in page
        assert client.get(f"{ADMIN}add/").status_code == 403

    def test_hurries_what_its_owner_still_thinks_over(self, administrator: Any, student: Any) -> None:
        now = timezone.now()
        first = services.request_erasure(user_id=student.pk, current_password=PASSWORD, at=now)
        second = services.erase_user(user_id=student.pk, by=administrator, reason="Letter", at=now)
        assert drive(str(second.pk)).status == PrivacyRequestStatus.DONE
        assert drive(str(first.pk)).status == PrivacyRequestStatus.CANCELLED


class TestDatabase:
    def test_lets_nobody_end_anothers_account_without_a_reason(
        self, student: Any, administrator: Any
    ) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            PrivacyRequest.objects.create(
                user=student, requested_by=administrator, kind="erasure", due_at=timezone.now()
            )

    def test_opens_no_erased_account_again(self, student: Any) -> None:
        student.vacate(at=timezone.now())
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=student.pk).update(is_active=True)
