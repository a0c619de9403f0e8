"""Becoming an instructor: applying, and what staff say to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import ApplicationStatus, InstructorApplication, InstructorProfile, Role, User
from notifications.models import Message
from smartcourse.events.models import OutboxFact

pytestmark = pytest.mark.django_db
URL = "/api/v1/instructors/applications"
ADMIN = "/admin/accounts/instructorapplication/"
WORDS = {"statement": "I have tied knots for twenty years."}


@pytest.fixture
def application(student: Any) -> InstructorApplication:
    return services.apply_as_instructor(user_id=student.pk, statement=WORDS["statement"], at=timezone.now())


class TestApplying:
    def test_makes_an_application_that_its_owner_and_staff_read(
        self, student: Any, stranger: Any, staff: Any, client_of: Any
    ) -> None:
        answer = client_of(student).post(URL, WORDS)
        assert (answer.status_code, answer.json()["status"]) == (201, "OPEN")
        url = f"{URL}/{answer.json()['id']}"
        assert [client_of(who).get(url).status_code for who in (None, student, stranger, staff)] == [
            401,
            200,
            404,
            200,
        ]
        lists = [client_of(who).get(URL).json()["results"] for who in (student, stranger, staff)]
        assert [len(rows) for rows in lists] == [1, 0, 1]
        assert OutboxFact.objects.filter(type="user.instructor_applied").count() == 1

    def test_is_refused_while_an_answer_is_waited_for(self, student: Any, client_of: Any) -> None:
        answers = [client_of(student).post(URL, WORDS) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 409]
        assert answers[1].json()["code"] == "duplicate"

    def test_leaves_one_open_whatever_the_code_does(self, application: InstructorApplication) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            InstructorApplication.objects.create(user=application.user, statement="Once more.")

    def test_is_nothing_for_who_teaches_already(self, instructor: Any, client_of: Any) -> None:
        assert client_of(instructor).post(URL, WORDS).json()["code"] == "invalid_state"

    def test_wants_some_words(self, student: Any, client_of: Any) -> None:
        for body in ({}, {"statement": "Please."}, {**WORDS, "status": "APPROVED"}):
            assert client_of(student).post(URL, body).status_code == 400
        assert client_of(None).post(URL, WORDS).status_code == 401

    def test_is_replayed_by_its_key(self, student: Any, client_of: Any) -> None:
        client = client_of(student)
        answers = [client.post(URL, WORDS, headers={"Idempotency-Key": "knots-1"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()


class TestApproving:
    def test_lets_the_person_teach_and_tells_them(
        self,
        application: InstructorApplication,
        staff: Any,
        client_of: Any,
        settle: Callable[[], None],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        answer = client_of(staff).post(f"{URL}/{application.pk}/approve", {"reason": "Welcome aboard."})
        assert (answer.status_code, answer.json()["status"]) == (200, "APPROVED")
        person = User.objects.get(pk=application.user_id)
        assert person.has_role(Role.INSTRUCTOR)
        assert InstructorProfile.objects.filter(user=person).exists()
        settle()
        told = Message.objects.filter(type="instructor_approved", recipient=person)
        assert {message.channel for message in told} == {"mail", "in_app"}
        assert all("Welcome aboard." in message.body for message in told)
        assert mail.outbox == [] or "instructor" in mail.outbox[-1].subject

    def test_is_for_staff_and_once(
        self, application: InstructorApplication, stranger: Any, instructor: Any, staff: Any, client_of: Any
    ) -> None:
        url = f"{URL}/{application.pk}/approve"
        assert [client_of(who).post(url).status_code for who in (None, stranger, instructor)] == [
            401,
            403,
            403,
        ]
        assert [client_of(staff).post(url).status_code for _ in range(2)] == [200, 409]
        assert client_of(staff).post(f"{URL}/{staff.pk}/approve").status_code == 404

    def test_is_never_ones_own(self, staff: Any, client_of: Any) -> None:
        own = services.apply_as_instructor(user_id=staff.pk, statement="Me.", at=timezone.now())
        assert client_of(staff).post(f"{URL}/{own.pk}/approve").status_code == 403


class TestRejecting:
    def test_says_why_and_leaves_the_way_open(
        self, application: InstructorApplication, student: Any, staff: Any, client_of: Any, settle: Any
    ) -> None:
        url = f"{URL}/{application.pk}/reject"
        assert client_of(staff).post(url, {}).status_code == 400
        answer = client_of(staff).post(url, {"reason": "Finish the course first."})
        assert (answer.status_code, answer.json()["reason"]) == (200, "Finish the course first.")
        assert not User.objects.get(pk=student.pk).has_role(Role.INSTRUCTOR)
        settle()
        assert Message.objects.filter(type="instructor_rejected", body__contains="Finish").count() == 2
        assert client_of(student).post(URL, WORDS).status_code == 201
        history = client_of(student).get(URL).json()["results"]
        assert [row["status"] for row in history] == ["OPEN", "REJECTED"]

    def test_never_stands_without_a_reason(self, application: InstructorApplication) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            application.decide(ApplicationStatus.REJECTED, by=None, reason="", at=timezone.now())


class TestAdmin:
    def test_decides_with_the_acting_user(
        self,
        application: InstructorApplication,
        client: Client,
        staff: Any,
        django_assert_max_num_queries: Any,
    ) -> None:
        client.force_login(staff)
        with django_assert_max_num_queries(12):
            assert client.get(ADMIN).status_code == 200
        assert b"Let them teach" in client.get(f"{ADMIN}{application.pk}/change/").content
        client.post(ADMIN, {"action": "approve", "_selected_action": [str(application.pk)]})
        application.refresh_from_db()
        assert (application.status, application.decided_by) == (ApplicationStatus.APPROVED, staff)

    def test_asks_why_before_it_says_no(
        self, application: InstructorApplication, client: Client, staff: Any
    ) -> None:
        client.force_login(staff)
        form = {"action": "reject", "_selected_action": [str(application.pk)]}
        page = client.post(ADMIN, form)
        assert (page.status_code, b'name="reason"' in page.content) == (200, True)
        assert client.post(ADMIN, {**form, "reason": ""}).status_code == 200
        application.refresh_from_db()
        assert application.is_open
        assert client.post(ADMIN, {**form, "reason": "Not <b>yet</b>."}).status_code == 302
        application.refresh_from_db()
        assert (application.status, application.reason) == (ApplicationStatus.REJECTED, "Not <b>yet</b>.")
