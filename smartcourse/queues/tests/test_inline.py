"""`TASKS_INLINE`: a script does the tasks it sends, after its commit, with no broker and no worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import shared_task
from django.db import transaction
from django.utils import timezone

from accounts.tests.factories import UserFactory
from courses.tests.factories import CourseFactory
from enrollments.models import Enrollment, EnrollmentStatus
from enrollments.services import enroll
from notifications.models import Message
from smartcourse.observability.context import current_request_id, request_context
from smartcourse.queues.dead_letters import redrive_letters
from smartcourse.queues.dispatch import enqueue
from smartcourse.queues.models import DeadLetter, DeadLetterStatus, ScheduledRun
from smartcourse.queues.scheduler import database_time

done: list[str] = []


@shared_task(name="inline.first", time_limit=20, soft_time_limit=19)
def first(*, word: str) -> None:
    done.append(f"first begins, {word}")
    with transaction.atomic():
        enqueue("inline.second", queue="default")
    done.append("first ends")


@shared_task(name="inline.second", time_limit=20, soft_time_limit=19)
def second() -> None:
    done.append(f"second for {current_request_id()}")


@shared_task(name="inline.fails", time_limit=20, soft_time_limit=19)
def fails(*, word: str = "") -> None:
    enqueue("inline.second", queue="default")
    raise LookupError("on purpose")


@shared_task(name="inline.sweep_up", time_limit=20, soft_time_limit=19)
def sweep_up() -> None:
    raise LookupError("on purpose")


@pytest.fixture(autouse=True)
def inline_tasks(settings) -> Iterator[None]:
    settings.TASKS_INLINE = True
    done.clear()
    yield
    done.clear()


@pytest.mark.django_db(transaction=True)
class TestInline:
    def test_does_tasks_after_the_commit_one_after_another(self) -> None:
        with request_context("req-7"), transaction.atomic():
            enqueue("inline.first", queue="default", word="hello")
            assert done == []
        assert done == ["first begins, hello", "first ends", "second for req-7"]

    def test_does_nothing_of_what_was_rolled_back(self) -> None:
        with transaction.atomic():
            enqueue("inline.second", queue="default")
            transaction.set_rollback(True)
        assert done == []

    def test_breaks_nothing_of_the_caller_by_a_task_that_fails(self) -> None:
        with transaction.atomic():
            ScheduledRun.objects.create(job="script", due_at=database_time())
            enqueue("inline.fails", queue="default")
        assert ScheduledRun.objects.filter(job="script").exists()
        # And what the failed task had sent is done all the same.
        assert done == ["second for "]

    def test_keeps_a_task_that_fails_as_a_dead_letter(self) -> None:
        with request_context("req-8"):
            enqueue("inline.fails", queue="reports", word="hello")
        letter = DeadLetter.objects.get()
        assert (letter.task, letter.queue, letter.request_id) == ("inline.fails", "reports", "req-8")
        assert letter.arguments == {"word": "hello"}
        assert letter.cause == "LookupError: on purpose"

        assert redrive_letters(DeadLetter.objects.all()) == 1
        letter.refresh_from_db()
        assert letter.status == DeadLetterStatus.REDRIVEN
        assert DeadLetter.objects.open().count() == 1, "it failed again"

    def test_keeps_no_letter_of_a_sweeper(self) -> None:
        enqueue("inline.sweep_up", queue="default")
        assert not DeadLetter.objects.exists()

    def test_outlives_a_task_that_is_not_there(self) -> None:
        enqueue("inline.unheard_of", queue="default")
        enqueue("inline.second", queue="default")
        assert done == ["second for "]


@pytest.mark.django_db(transaction=True)
class TestFactsInline:
    def test_reach_their_subscribers_and_end_their_processes_before_the_script_goes_on(self) -> None:
        student, course = UserFactory(), CourseFactory(published=True)
        enroll(student_id=student.pk, course_id=course.pk, by_id=student.pk, at=timezone.now())
        assert Enrollment.objects.get().status == EnrollmentStatus.ACTIVE
        assert Message.objects.filter(recipient=student, type="course_welcome", status="SENT").count() == 2
