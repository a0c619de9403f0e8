"""A course is closed with the request; then it leaves search, and its learners are told and keep reading."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from courses import services
from courses.models import Course, CourseSeats, CourseStatus, Publication
from courses.tests.factories import CourseFactory
from enrollments import services as enrollments
from enrollments.models import Enrollment, EnrollmentStatus
from enrollments.tests.factories import EnrollmentFactory
from notifications.models import Channel, Message, MessageType
from notifications.services import sweep_messages
from smartcourse.events.deliveries import handle_delivery
from smartcourse.events.models import Delivery, DeliveryStatus, OutboxFact
from smartcourse.workflows.models import Run, RunStatus
from smartcourse.workflows.services import advance, retry

URL = "/api/v1/courses"


@pytest.fixture
def course(instructor: Any, db: None) -> Course:
    """A course that was published by the process, so that it can be searched."""
    course = CourseFactory(title="Knots", instructor=instructor)
    run = services.request_publication(course_id=course.pk, by=instructor.pk)
    advance(run.pk)
    course.refresh_from_db()
    return course


def archive(course: Course) -> Run:
    run = services.request_archiving(course_id=course.pk, by=course.instructor_id)
    assert run is not None
    return run


def snapshot(course: Course) -> dict[str, Any]:
    """What archiving may touch, as the database has it."""
    rows = Course.objects.filter(pk=course.pk).values(
        "status", "archived_at", "published_at", "current_publication", "search_vector"
    )
    seats = CourseSeats.objects.filter(course=course).values()
    return {
        "course": rows.get(),
        "seats": seats.get(),
        "enrollments": list(Enrollment.objects.values_list("pk", "status")),
    }


def told(kind: str = MessageType.COURSE_ARCHIVED) -> set[tuple[Any, str]]:
    return set(Message.objects.filter(type=kind).values_list("recipient_id", "channel"))


@pytest.mark.django_db
class TestArchiving:
    def test_closes_the_course_with_the_request(
        self, course: Course, instructor: Any, student: Any, client_of: Any
    ) -> None:
        assert client_of(instructor).delete(f"{URL}/{course.pk}").status_code == 204
        answer = client_of(student).post("/api/v1/enrollments", {"course_id": str(course.pk)})
        assert answer.status_code == 404
        assert client_of(None).get(f"{URL}?search=knots").json()["count"] == 0
        course.refresh_from_db()
        assert (course.status, course.archived_at) == (CourseStatus.ARCHIVED, None)
        assert not OutboxFact.objects.filter(type="course.archived").exists()

    def test_ends_archived_out_of_search_and_told(
        self, course: Course, instructor: Any, client_of: Any, settle: Any
    ) -> None:
        client_of(instructor).delete(f"{URL}/{course.pk}")
        settle()
        course.refresh_from_db()
        assert (course.status, course.search_vector) == (CourseStatus.ARCHIVED, None)
        assert course.archived_at is not None
        run = Run.objects.get(process="archiving")
        assert (run.status, run.requested_by_id) == (RunStatus.COMPLETED, instructor.pk)
        assert OutboxFact.objects.filter(type="course.archived").count() == 1

    def test_tells_those_who_learn_in_it_by_mail_and_notice(
        self, course: Course, student: Any, classmate: Any, stranger: Any, settle: Any
    ) -> None:
        EnrollmentFactory(course=course, student=student)
        EnrollmentFactory(course=course, student=classmate, completed=True)
        EnrollmentFactory(course=course, student=stranger, status=EnrollmentStatus.DROPPED)
        EnrollmentFactory(course=course, student__is_active=False)
        archive(course)
        settle()
        assert told() == {(who.pk, channel) for who in (student, classmate) for channel in Channel.values}
        mail = Message.objects.get(recipient=student, type=MessageType.COURSE_ARCHIVED, channel=Channel.MAIL)
        assert mail.title == "Knots was archived"

    def test_keeps_the_classroom_open_to_its_learners(
        self, course: Course, student: Any, stranger: Any, client_of: Any, settle: Any
    ) -> None:
        EnrollmentFactory(course=course, student=student)
        archive(course)
        settle()
        lesson = services.published_lessons_of(course_id=course.pk)[0].lesson_id
        asked = [client_of(who).get(f"/api/v1/lessons/{lesson}").status_code for who in (student, stranger)]
        assert asked == [200, 404]
        assert client_of(student).post(f"/api/v1/lessons/{lesson}/complete").status_code == 200

    def test_gives_back_the_places_of_those_who_had_not_begun(self, course: Course, settle: Any) -> None:
        pending = EnrollmentFactory(course=course, status=EnrollmentStatus.PENDING)
        archive(course)
        settle()
        pending.refresh_from_db()
        assert pending.status == EnrollmentStatus.DROPPED
        assert pending.history.get().reason == "The course was archived."
        assert CourseSeats.objects.get(course=course).taken == 0

    def test_is_one_process_and_afterwards_nothing(self, course: Course, settle: Any) -> None:
        assert archive(course).pk == archive(course).pk
        settle()
        assert services.request_archiving(course_id=course.pk, by=None) is None
        settle()
        assert OutboxFact.objects.filter(type="course.archived").count() == 1
        assert Run.objects.filter(process="archiving").count() == 1

    def test_takes_a_draft_too(self, settle: Any) -> None:
        draft = CourseFactory()
        archive(draft)
        settle()
        draft.refresh_from_db()
        assert draft.status == CourseStatus.ARCHIVED


@pytest.mark.django_db
class TestFailedArchiving:
    @pytest.mark.parametrize("error", [services.CourseFull("No."), ZeroDivisionError("oops")])
    @pytest.mark.parametrize("step", ["close_enrollment", "withdraw_from_search", "mark_archived", "release"])
    def test_restores_what_was_and_alerts_staff(
        self, step: str, error: Exception, course: Course, student: Any, staff: Any, client_of: Any,
        settle: Any, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        EnrollmentFactory(course=course, student=student)
        EnrollmentFactory(course=course, status=EnrollmentStatus.PENDING)
        before = snapshot(course)
        run = archive(course)
        self.break_step(step, error, monkeypatch)
        for _ in range(len(settings.WORKFLOW_RETRY_SECONDS) + 1):
            advance(run.pk)
        settle()
        run.refresh_from_db()
        assert run.status == RunStatus.FAILED
        assert snapshot(course) == before
        assert client_of(None).get(f"{URL}?search=knots").json()["count"] == 1
        assert not OutboxFact.objects.filter(type="course.archived").exists()
        assert told() == set()
        assert told(MessageType.OPERATIONS_ALERT) == {(staff.pk, Channel.MAIL)}
        monkeypatch.undo()
        archive(course)
        settle()
        course.refresh_from_db()
        assert course.archived_at is not None

    def break_step(self, step: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(**_: Any) -> None:
            raise error

        if step == "release":
            monkeypatch.setattr("smartcourse.processes.archiving.release_pending_enrollments", refuse)
        else:
            monkeypatch.setattr(services, step, refuse)

    def test_gives_a_draft_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        draft = CourseFactory()
        before = snapshot(draft)
        run = archive(draft)
        monkeypatch.setattr(services, "mark_archived", lambda **_: 1 / 0)
        for _ in range(len(settings.WORKFLOW_RETRY_SECONDS) + 1):
            advance(run.pk)
        assert snapshot(draft) == before

    def test_is_tried_again_by_who_looks_after_processes(
        self, course: Course, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = archive(course)
        self.break_step("mark_archived", services.CourseFull("No."), monkeypatch)
        advance(run.pk)
        monkeypatch.undo()
        newer = retry(run.pk)
        assert newer.pk != run.pk
        advance(newer.pk)
        course.refresh_from_db()
        assert course.status == CourseStatus.ARCHIVED


@pytest.mark.django_db
class TestArchivingWhileAPublicationIsUnderWay:
    @pytest.mark.parametrize("published_before", [False, True])
    @pytest.mark.parametrize("step", ["validate_course", "process_content", "update_search_index"])
    def test_leaves_the_course_archived_and_no_trace_of_the_publication(
        self, step: str, published_before: bool, settle: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        course = CourseFactory(published=published_before)
        run = services.request_publication(course_id=course.pk, by=None)
        deed = getattr(services, step)

        def archived_in_the_next_moment(**words: Any) -> Any:
            done = deed(**words)
            archive(course)
            return done

        monkeypatch.setattr(services, step, archived_in_the_next_moment)
        advance(run.pk)
        run.refresh_from_db()
        assert (run.status, run.error) == (RunStatus.FAILED, "This course is archived.")
        settle()
        course.refresh_from_db()
        assert (course.status, course.search_vector) == (CourseStatus.ARCHIVED, None)
        assert course.archived_at is not None
        assert Publication.objects.count() == published_before


@pytest.mark.django_db(transaction=True)
class TestWhoeverEnrollsInThatMoment:
    def test_is_refused_where_the_course_was_closed_first(self, course: Course, student: Any) -> None:
        outcome: list[str] = []

        def enroll() -> None:
            try:
                enrollments.enroll(
                    student_id=student.pk, course_id=course.pk, by_id=student.pk, at=timezone.now()
                )
            except services.EnrollmentClosed as refused:
                outcome.append(refused.code)
            finally:
                connection.close()

        thread = threading.Thread(target=enroll)
        with transaction.atomic():
            archive(course)
            # Still published for whoever looks from outside: it waits at the row of the seats.
            thread.start()
            wait_for(waiting_for_a_lock)
        thread.join(10)
        assert outcome == ["enrollment_closed"]
        assert not Enrollment.objects.exists()


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        # Within a transaction the view is a picture taken once, unless it is thrown away.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = timezone.now() + timedelta(seconds=10)
    while not condition():
        assert timezone.now() < deadline, "nobody waits"


@pytest.mark.full
@pytest.mark.django_db
class TestTellingVeryMany:
    LEARNERS = 3_000

    def test_takes_little_memory_and_happens_once(self, course: Course) -> None:
        User.objects.bulk_create(
            User(email=f"learner{n}@example.org", full_name=f"Learner {n}") for n in range(self.LEARNERS)
        )
        learners = User.objects.filter(email__startswith="learner").values_list("pk", flat=True)
        Enrollment.objects.bulk_create(
            Enrollment(course=course, student_id=pk, status=EnrollmentStatus.ACTIVE) for pk in learners
        )
        advance(archive(course).pk)
        peak = self.most_memory_while(self.handle)
        assert Message.objects.filter(type=MessageType.COURSE_ARCHIVED).count() == 2 * self.LEARNERS
        assert peak < 12_000_000, "bytes: a batch, not the course"
        Delivery.objects.filter(subscriber__contains="archived").update(status=DeliveryStatus.PENDING)
        self.handle()
        assert Message.objects.filter(type=MessageType.COURSE_ARCHIVED).count() == 2 * self.LEARNERS
        assert sweep_messages() == 500

    def handle(self) -> None:
        from smartcourse.events.relay import relay_batch

        while relay_batch():
            pass
        for delivery in Delivery.objects.filter(
            subscriber__contains="archived", status=DeliveryStatus.PENDING
        ):
            assert handle_delivery(delivery.pk)

    def most_memory_while(self, deed: Callable[[], None]) -> int:
        tracemalloc.start()
        try:
            deed()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
