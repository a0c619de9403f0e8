"""The learner's home screen."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from certificates.models import CertificateStatus
from certificates.tests.factories import CertificateFactory
from courses.tests.factories import CourseFactory
from enrollments.models import EnrollmentStatus
from enrollments.tests.factories import EnrollmentFactory
from notifications.models import Channel, Message, MessageType
from progress import services
from progress.tests.factories import lesson_ids
from smartcourse.db.identifiers import uuid7
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db
DASHBOARD = "/api/v1/me/dashboard"


def enrolled(student: Any, **course: Any) -> Any:
    """Put the student into a published course of four lessons, with progress laid out."""
    enrollment: Any = EnrollmentFactory(
        student=student, course=CourseFactory(published=True, modules=2, lessons=2, **course)
    )
    services.initialise_progress(enrollment_id=enrollment.pk, at=timezone.now())
    return enrollment


def notice(person: Any, **fields: Any) -> Message:
    return Message.objects.create(
        fact_id=uuid7(), recipient=person, channel=Channel.IN_APP, type=MessageType.MODULE_COMPLETED,
        title="Well done", next_attempt_at=timezone.now(), **fields,
    )  # fmt: skip


class TestDashboard:
    def test_of_somebody_new_is_empty(self, student: Any, client_of: ClientOf) -> None:
        answer = client_of(student).get(DASHBOARD)
        assert answer.status_code == 200
        assert answer.json() == {
            "courses": [], "certificates": [], "notifications": [],
            "totals": {"under_way": 0, "completed": 0, "certificates": 0, "unread_notifications": 0},
        }  # fmt: skip

    def test_says_where_to_go_on(self, student: Any, client_of: ClientOf) -> None:
        before, studied = enrolled(student, title="Knots"), enrolled(student, title="Sails")
        EnrollmentFactory(student=student, status=EnrollmentStatus.DROPPED)
        client, lessons = client_of(student), lesson_ids(studied.course)
        client.post(f"/api/v1/lessons/{lessons[0]}/complete")
        client.post(f"/api/v1/lessons/{lessons[2]}/position", {"position_seconds": 5, "seconds_spent": 5})
        first, second = client.get(DASHBOARD).json()["courses"]
        assert (first["enrollment_id"], first["course"]["title"]) == (str(studied.pk), "Sails")
        assert (first["percentage"], first["lessons_total"], first["lessons_completed"]) == (25.0, 4, 1)
        # What was begun and not finished, rather than what was passed over.
        assert first["next_lesson"]["id"] == str(lessons[2])
        assert (second["enrollment_id"], second["lessons_completed"]) == (str(before.pk), 0)
        assert second["next_lesson"]["id"] == str(lesson_ids(before.course)[0])

    def test_leads_into_no_closed_classroom(self, student: Any, client_of: ClientOf) -> None:
        enrolled(student).__class__.objects.update(status=EnrollmentStatus.PENDING)
        (course,) = client_of(student).get(DASHBOARD).json()["courses"]
        assert (course["status"], course["next_lesson"]) == ("PENDING", None)

    def test_shows_what_was_earned_and_what_is_new(self, student: Any, client_of: ClientOf) -> None:
        for _ in range(4):
            enrollment = EnrollmentFactory(student=student, status=EnrollmentStatus.COMPLETED)
            CertificateFactory(enrollment=enrollment, status=CertificateStatus.ISSUED)
        notice(student, read_at=timezone.now())
        new = notice(student)
        answer = client_of(student).get(DASHBOARD).json()
        assert len(answer["certificates"]) == 3
        assert [row["id"] for row in answer["notifications"]] == [str(new.pk)]
        assert answer["totals"] == {
            "under_way": 0, "completed": 4, "certificates": 4, "unread_notifications": 1,
        }  # fmt: skip

    def test_is_for_oneself(self, student: Any, stranger: Any, client_of: ClientOf) -> None:
        enrolled(student)
        notice(student)
        answer = client_of(stranger).get(DASHBOARD).json()
        assert (answer["courses"], answer["notifications"]) == ([], [])
        assert client_of(None).get(DASHBOARD).status_code == 401

    def test_costs_the_same_however_much_there_is(
        self, student: Any, client_of: ClientOf, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(12):
            enrolled(student)
        with django_assert_max_num_queries(8):
            answer = client_of(student).get(DASHBOARD).json()
        assert (len(answer["courses"]), answer["totals"]["under_way"]) == (10, 12)
