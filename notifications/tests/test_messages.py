"""A fact becomes messages, once; messages leave, or wait, or are given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone

from accounts.events import UserRegistered
from certificates.events import CertificateIssued
from enrollments.events import EnrollmentActivated
from enrollments.tests.factories import EnrollmentFactory
from notifications import services
from notifications.channels.mail import MailChannel
from notifications.models import Channel, Message, MessageStatus, MessageType
from smartcourse.db.identifiers import uuid7
from smartcourse.events.models import OutboxFact
from smartcourse.events.outbox import publish

pytestmark = pytest.mark.django_db


def activated(student: Any, title: str = "Knots & bends") -> EnrollmentActivated:
    return EnrollmentActivated(
        enrollment_id=uuid7(), student_id=student.pk, course_id=uuid7(), course_title=title
    )


def welcome(student: Any, fact: EnrollmentActivated | None = None) -> list[Message]:
    return services.notify(
        fact=fact or activated(student),
        type=MessageType.COURSE_WELCOME,
        recipient_id=student.pk,
        context={"course_id": "c", "course_title": "Knots & bends"},
    )


class TestNotify:
    def test_writes_one_message_a_channel(self, student: Any) -> None:
        assert {m.channel for m in welcome(student)} == {Channel.MAIL, Channel.IN_APP}

    def test_writes_nothing_more_when_the_fact_comes_again(self, student: Any) -> None:
        fact = activated(student)
        first = welcome(student, fact)
        assert welcome(student, fact) == first
        assert Message.objects.count() == 2

    def test_leaves_the_words_as_they_are_said(self, student: Any) -> None:
        assert "Knots & bends" in welcome(student)[0].title


class TestSendMessage:
    def test_sends_a_mail_with_both_renderings(self, student: Any) -> None:
        [letter] = [m for m in welcome(student) if m.channel == Channel.MAIL]
        assert services.send_message(message_id=letter.pk) is True
        [sent] = mail.outbox
        assert sent.subject == "You are in: Knots & bends"
        assert student.email in sent.to[0]
        assert "Knots &amp; bends" in str(sent.alternatives[0].content)  # type: ignore[attr-defined]  # multipart mails have it

    def test_sends_it_once(self, student: Any) -> None:
        [letter] = [m for m in welcome(student) if m.channel == Channel.MAIL]
        assert [services.send_message(message_id=letter.pk) for _ in range(3)] == [True, False, False]
        assert len(mail.outbox) == 1
        assert OutboxFact.objects.filter(type="notification.sent", aggregate_id=letter.pk).count() == 1

    def test_a_name_cannot_add_headers(self, student: Any) -> None:
        student.full_name = 'Eve", <all@example.org>'
        student.save()
        [letter] = [m for m in welcome(student) if m.channel == Channel.MAIL]
        assert services.send_message(message_id=letter.pk)
        assert mail.outbox[0].recipients() == [mail.outbox[0].to[0]]
        assert student.email in mail.outbox[0].to[0]

    def test_waits_and_then_gives_up_when_the_server_refuses(
        self, student: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise ConnectionRefusedError("the mail server is down")

        monkeypatch.setattr(MailChannel, "send", refuse)
        [letter] = [m for m in welcome(student) if m.channel == Channel.MAIL]
        assert services.send_message(message_id=letter.pk) is False
        letter.refresh_from_db()
        assert (letter.status, letter.attempts) == (MessageStatus.PENDING, 1)
        assert "the mail server is down" in letter.last_error
        for _ in settings.MESSAGE_RETRY_SECONDS:
            services.send_message(message_id=letter.pk)
        letter.refresh_from_db()
        assert letter.status == MessageStatus.FAILED
        assert OutboxFact.objects.filter(type="notification.failed").count() == 1
        assert services.send_again(message_ids=[letter.pk]) == 1
        monkeypatch.undo()
        assert services.send_message(message_id=letter.pk) is True

    def test_fills_in_a_secret_that_is_stored_nowhere(self, student: Any) -> None:
        [letter] = services.notify(
            fact=UserRegistered(user_id=student.pk),
            type=MessageType.EMAIL_VERIFICATION,
            recipient_id=student.pk,
            context={},
        )
        services.send_message(message_id=letter.pk)
        assert "/verify-email?token=" in str(mail.outbox[0].body)
        letter.refresh_from_db()
        assert "token=" not in letter.body


class TestSweep:
    def test_finds_what_was_lost_on_the_way_once_at_a_time(
        self, student: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        welcome(student)
        assert services.sweep_messages() == 0
        Message.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
        assert (services.sweep_messages(), services.sweep_messages()) == (1, 0)


class TestReceivers:
    def test_every_fact_heard_becomes_a_notice_of_its_type(self, student: Any, settle: Any) -> None:
        enrollment = EnrollmentFactory(student=student)
        publish(
            EnrollmentActivated(
                enrollment_id=enrollment.pk,
                student_id=student.pk,
                course_id=enrollment.course_id,
                course_title="Knots",
            )
        )
        publish(
            CertificateIssued(
                certificate_id=uuid7(),
                enrollment_id=enrollment.pk,
                student_id=student.pk,
                course_title="Knots",
            )
        )
        settle()
        notices = Message.objects.in_app().values_list("type", flat=True)
        assert set(notices) == {"course_welcome", "certificate_ready"}

    def test_a_failed_process_alerts_all_staff(
        self, staff: Any, administrator: Any, student: Any, settle: Any
    ) -> None:
        from smartcourse.workflows.events import WorkflowFailed

        publish(
            WorkflowFailed(
                workflow_id=uuid7(), process="baking", subject_id=uuid7(), error_code="x", error="No oven."
            )
        )
        settle()
        told = Message.objects.filter(type=MessageType.OPERATIONS_ALERT).values_list(
            "recipient_id", flat=True
        )
        assert set(told) == {staff.pk, administrator.pk}

    def test_a_rule_that_refuses_again_and_again_alerts_staff_once_an_hour(
        self, staff: Any, settle: Any
    ) -> None:
        from smartcourse.workflows.events import WorkflowFailed

        def fail(*codes: str) -> int:
            """Return how many alerts there are in all once processes have failed of these."""
            for code in codes:
                publish(
                    WorkflowFailed(
                        workflow_id=uuid7(),
                        process="baking",
                        subject_id=uuid7(),
                        error_code=code,
                        error="No.",
                    )
                )
            settle()
            return Message.objects.filter(type=MessageType.OPERATIONS_ALERT).count()

        assert fail("no_flour", "no_flour", "no_flour") == 1
        assert fail("no_flour", "no_oven") == 2
        # What is wrong with us is told each time.
        assert fail("internal_error", "internal_error") == 4
        Message.objects.update(created_at=timezone.now() - timedelta(hours=2))
        assert fail("no_flour", "no_flour") == 5

    def test_a_parked_fact_alerts_all_staff(
        self, staff: Any, administrator: Any, student: Any, settle: Any
    ) -> None:
        from smartcourse.events.events import DeliveryParked

        publish(DeliveryParked(delivery_id=uuid7(), subscriber="a.b", fact_type="lamp.lit", error="No oil."))
        settle()
        alerts = Message.objects.filter(type=MessageType.OPERATIONS_ALERT)
        assert {message.recipient_id for message in alerts} == {staff.pk, administrator.pk}
        assert "No oil." in alerts[0].body
