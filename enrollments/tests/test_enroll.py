"""POST /enrollments, and the process behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import InstructorProfile
from accounts.tests.factories import UserFactory
from courses.models import CourseSeats
from courses.tests.factories import CourseFactory
from enrollments import services
from enrollments.models import Enrollment, EnrollmentStatus
from enrollments.tests.factories import EnrollmentFactory
from smartcourse.db.identifiers import uuid7
from smartcourse.events.models import OutboxFact
from smartcourse.testing.fixtures import ClientOf
from smartcourse.workflows.models import Run, RunStatus

pytestmark = pytest.mark.django_db
URL = "/api/v1/enrollments"


def taken(course: Any) -> int:
    return CourseSeats.objects.get(course=course).taken


class TestEnroll:
    def test_answers_with_a_pending_enrollment_and_its_process(
        self, student: Any, client_of: ClientOf
    ) -> None:
        course: Any = CourseFactory(published=True)
        answer = client_of(student).post(URL, {"course_id": str(course.pk)})
        assert answer.status_code == 201, answer.data
        enrollment = Enrollment.objects.get()
        assert answer.data == {
            "id": str(enrollment.pk), "status": "PENDING", "percentage": 0.0,
            "workflow_id": str(Run.objects.get(process="enrollment").pk),
            "course": {"id": str(course.pk), "title": course.title},
            "created_at": answer.data["created_at"], "started_at": None, "completed_at": None, "ended_at": None,
            "student": {"id": str(student.pk), "full_name": student.full_name},
        }  # fmt: skip
        assert taken(course) == 1
        assert OutboxFact.objects.get(type="enrollment.created").payload["course_id"] == str(course.pk)
        change = enrollment.history.get()
        assert (change.by, change.from_status, change.to_status) == (student, "", "PENDING")

    def test_becomes_active_by_its_process(
        self, student: Any, client_of: ClientOf, settle: Callable[[], None]
    ) -> None:
        instructor: Any = UserFactory(role="instructor")
        InstructorProfile.objects.get_or_create(user=instructor)
        course: Any = CourseFactory(published=True, instructor=instructor)
        answer = client_of(student).post(URL, {"course_id": str(course.pk)})
        settle()
        enrollment = Enrollment.objects.get(pk=answer.data["id"])
        assert enrollment.status == EnrollmentStatus.ACTIVE
        assert enrollment.started_at is not None
        assert enrollment.progress.percentage == 0
        assert Run.objects.get().status == RunStatus.COMPLETED
        course.refresh_from_db()
        assert course.learner_count == 1
        assert InstructorProfile.objects.get(user=instructor).total_students == 1

    def test_gives_the_same_enrollment_again(self, student: Any, client_of: ClientOf) -> None:
        enrollment: Any = EnrollmentFactory(student=student)
        answer = client_of(student).post(URL, {"course_id": str(enrollment.course_id)})
        assert (answer.status_code, answer.data["id"]) == (200, str(enrollment.pk))
        assert taken(enrollment.course) == 1

    def test_begins_anew_after_a_drop(self, student: Any, client_of: ClientOf) -> None:
        dropped: Any = EnrollmentFactory(student=student, status=EnrollmentStatus.DROPPED)
        answer = client_of(student).post(URL, {"course_id": str(dropped.course_id)})
        assert answer.status_code == 201
        assert answer.data["id"] != str(dropped.pk)

    def test_refuses_anonymous_visitors(self, anonymous: Any) -> None:
        assert anonymous.post(URL, {"course_id": str(uuid7())}).status_code == 401

    def test_refuses_the_instructor_of_the_course(self, instructor: Any, client_of: ClientOf) -> None:
        course: Any = CourseFactory(published=True, instructor=instructor)
        assert client_of(instructor).post(URL, {"course_id": str(course.pk)}).status_code == 403

    def test_lets_another_instructor_in_as_a_student(self, rival: Any, client_of: ClientOf) -> None:
        course: Any = CourseFactory(published=True)
        assert client_of(rival).post(URL, {"course_id": str(course.pk)}).status_code == 201

    @pytest.mark.parametrize("course_of", [lambda: CourseFactory().pk, uuid7], ids=["a draft", "nothing"])
    def test_does_not_find(self, course_of: Callable[[], Any], student: Any, client_of: ClientOf) -> None:
        assert client_of(student).post(URL, {"course_id": str(course_of())}).status_code == 404

    def test_refuses_when_the_course_is_full(self, student: Any, client_of: ClientOf) -> None:
        course: Any = CourseFactory(published=True, capacity=1)
        EnrollmentFactory(course=course)
        answer = client_of(student).post(URL, {"course_id": str(course.pk)})
        assert (answer.status_code, answer.data["code"]) == (422, "course_full")
        assert not Enrollment.objects.filter(student=student).exists()

    def test_refuses_a_course_with_a_price(self, student: Any, client_of: ClientOf) -> None:
        course: Any = CourseFactory(published=True, price_cents=4900)
        answer = client_of(student).post(URL, {"course_id": str(course.pk)})
        assert (answer.status_code, answer.data["code"]) == (422, "payment_required")

    @pytest.mark.parametrize(
        "body",
        [{}, {"course_id": "1"}, {"course_id": None}, [], {"status": "ACTIVE", "course_id": str(uuid7())}],
    )
    def test_refuses_what_it_does_not_understand(self, body: Any, student: Any, client_of: ClientOf) -> None:
        assert client_of(student).post(URL, body).status_code == 400


class TestEnrollOthers:
    def test_is_not_for_students(self, student: Any, classmate: Any, client_of: ClientOf) -> None:
        body = {
            "course_id": str(CourseFactory(published=True).pk),
            "student_id": str(classmate.pk),
            "reason": "hi",
        }
        assert client_of(student).post(URL, body).status_code == 403

    @pytest.mark.parametrize("who", ["staff", "administrator"])
    def test_is_for_staff_who_say_why(
        self, who: str, student: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        actor = request.getfixturevalue(who)
        body = {"course_id": str(CourseFactory(published=True).pk), "student_id": str(student.pk)}
        refused = client_of(actor).post(URL, body)
        assert (refused.status_code, refused.data["errors"][0]["field"]) == (422, "reason")
        answer = client_of(actor).post(URL, body | {"reason": "Asked by phone"})
        assert answer.status_code == 201
        change = Enrollment.objects.get(student=student).history.get()
        assert (change.by, change.reason) == (actor, "Asked by phone")

    def test_does_not_find_a_deactivated_person(self, staff: Any, client_of: ClientOf) -> None:
        gone: Any = UserFactory(is_active=False)
        body = {"course_id": str(CourseFactory(published=True).pk), "student_id": str(gone.pk), "reason": "x"}
        assert client_of(staff).post(URL, body).status_code == 404


class TestEnrollmentProcess:
    def test_gives_the_seat_back_when_it_fails(
        self, student: Any, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        course: Any = CourseFactory(published=True, capacity=1)
        enrollment, _ = services.enroll(
            student_id=student.pk, course_id=course.pk, by_id=student.pk, at=timezone.now()
        )

        # The course vanishes from under the fact that would tell of it: a rule refuses, and retries are pointless.
        def refuse(**_: Any) -> None:
            raise services.EnrollmentNotActive("The classroom is being rebuilt.")

        monkeypatch.setattr("smartcourse.processes.enrollment.activate_enrollment", refuse)
        settle()
        enrollment.refresh_from_db()
        assert enrollment.status == EnrollmentStatus.DROPPED
        assert "rebuilt" in enrollment.history.first().reason
        assert (taken(course), Run.objects.get().status) == (0, RunStatus.FAILED)
        services.release_enrollment(enrollment_id=enrollment.pk, reason="again", at=timezone.now())
        assert taken(course) == 0

    def test_leaves_a_dropped_enrollment_dropped(self, student: Any, settle: Callable[[], None]) -> None:
        course: Any = CourseFactory(published=True)
        enrollment, _ = services.enroll(
            student_id=student.pk, course_id=course.pk, by_id=student.pk, at=timezone.now()
        )
        services.drop_enrollment(enrollment_id=enrollment.pk, by_id=student.pk, at=timezone.now())
        settle()
        enrollment.refresh_from_db()
        assert enrollment.status == EnrollmentStatus.DROPPED
        assert not OutboxFact.objects.filter(type="enrollment.activated").exists()
        assert Run.objects.get().status == RunStatus.COMPLETED


class TestCompleteEnrollment:
    def test_tells_of_it_once(self, student: Any) -> None:
        enrollment: Any = EnrollmentFactory(student=student)
        for _ in range(2):
            services.complete_enrollment(enrollment_id=enrollment.pk, at=timezone.now())
        assert OutboxFact.objects.filter(type="enrollment.completed").count() == 1
        assert enrollment.history.count() == 1

    def test_refuses_a_dropped_one(self) -> None:
        enrollment: Any = EnrollmentFactory(status=EnrollmentStatus.DROPPED)
        with pytest.raises(services.EnrollmentNotActive):
            services.complete_enrollment(enrollment_id=enrollment.pk, at=timezone.now())
