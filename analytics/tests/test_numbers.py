"""Numbers: right, the same when heard twice, the same when rebuilt, and shown to whom they concern."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from analytics import services
from analytics.models import DailyMetric, HourlyMetric, MetricName
from courses.tests.factories import CourseFactory
from enrollments.events import EnrollmentActivated
from enrollments.models import Enrollment
from enrollments.tests.factories import EnrollmentFactory
from smartcourse.db.identifiers import uuid7
from smartcourse.events.outbox import publish
from smartcourse.workflows.events import WorkflowFailed
from smartcourse.workflows.models import Run, RunStatus

pytestmark = pytest.mark.django_db
PLATFORM = "/api/v1/analytics/platform"


def today() -> Any:
    return timezone.now().astimezone(UTC).date()


def a_failed_run(*, at: datetime) -> Run:
    return Run.objects.create(
        process="publishing", subject_id=uuid7(), key=str(uuid7()), status=RunStatus.FAILED, finished_at=at,
        next_attempt_at=at,
    )  # fmt: skip


def values() -> dict[tuple[str, str], int]:
    return {(m.name, m.day.isoformat()): m.value for m in DailyMetric.objects.filter(value__gt=0)}


class TestRecomputeDay:
    def test_counts_what_began_and_ended_on_that_day_in_utc(self) -> None:
        EnrollmentFactory()
        EnrollmentFactory(started_at=timezone.now() - timedelta(days=2), completed=True)
        services.recompute_day(day=today())
        assert values() == {
            (MetricName.NEW_ENROLLMENTS, today().isoformat()): 1,
            (MetricName.COMPLETIONS, today().isoformat()): 1,
        }

    def test_takes_midnight_into_the_day_that_it_begins(self) -> None:
        midnight = datetime(2026, 3, 29, tzinfo=UTC)
        EnrollmentFactory(started_at=midnight)
        services.recompute_day(day=midnight.date() - timedelta(days=1))
        services.recompute_day(day=midnight.date())
        assert values() == {(MetricName.NEW_ENROLLMENTS, "2026-03-29"): 1}

    def test_changes_nothing_when_the_fact_is_heard_three_times(self, settle: Any) -> None:
        enrollment = EnrollmentFactory()
        for _ in range(3):
            publish(
                EnrollmentActivated(
                    enrollment_id=enrollment.pk,
                    student_id=enrollment.student_id,
                    course_id=enrollment.course_id,
                    course_title="Knots",
                )
            )
        settle()
        assert values() == {(MetricName.NEW_ENROLLMENTS, today().isoformat()): 1}


class TestRecomputeHour:
    def test_counts_the_processes_that_failed_in_it(self) -> None:
        moment = datetime(2026, 3, 29, 1, 59, 59, tzinfo=UTC)
        for finished_at in (moment, moment + timedelta(seconds=1), moment - timedelta(minutes=59)):
            a_failed_run(at=finished_at)
        for _ in range(2):
            services.recompute_hour(moment=moment)
        [metric] = HourlyMetric.objects.all()
        assert (metric.name, metric.value) == (MetricName.FAILED_WORKFLOWS, 2)
        assert metric.hour == datetime(2026, 3, 29, 1, tzinfo=UTC)

    def test_is_done_when_a_process_fails(self, settle: Any) -> None:
        run = a_failed_run(at=timezone.now())
        told = {
            "process": run.process,
            "subject_id": run.subject_id,
            "error_code": "timed_out",
            "error": "Too late.",
        }
        for _ in range(2):
            publish(WorkflowFailed(workflow_id=run.pk, **told))
        settle()
        assert HourlyMetric.objects.get().value == 1
        assert values() == {(MetricName.FAILED_WORKFLOWS, today().isoformat()): 1}


class TestRebuild:
    def test_comes_to_the_same_numbers(self) -> None:
        for days in (0, 1, 3):
            moment = timezone.now() - timedelta(days=days)
            enrollment = EnrollmentFactory(started_at=moment)
            Enrollment.objects.filter(pk=enrollment.pk).update(created_at=moment)
            services.recompute_day(day=moment.astimezone(UTC).date())
        before = values()
        out = io.StringIO()
        call_command("rebuild_metrics", "--json", stdout=out)
        assert json.loads(out.getvalue()) == {"days": 4, "kept": True}
        assert values() == before
        assert len(before) == 3

    def test_a_dry_run_keeps_what_there_was(self) -> None:
        DailyMetric.objects.create(name="completions", day=today(), value=7, computed_at=timezone.now())
        EnrollmentFactory()
        call_command("rebuild_metrics", "--dry-run", stdout=io.StringIO())
        assert values() == {("completions", today().isoformat()): 7}


class TestPlatform:
    def test_counts_enrollments_and_completions_for_staff(self, staff: Any, client_of: Any) -> None:
        EnrollmentFactory(completed=True)
        EnrollmentFactory()
        services.recompute_day(day=today())
        numbers = client_of(staff).get(PLATFORM).json()
        assert numbers["new_enrollments"] == {"daily": 2, "weekly": 2, "monthly": 2}
        assert numbers["completions"]["daily"] == 1
        assert (numbers["total_enrollments"], numbers["course_completion_rate"]) == (2, 50.0)
        assert numbers["total_courses_published"] == 2

    def test_tells_the_failed_processes_of_each_of_the_last_hours(self, staff: Any, client_of: Any) -> None:
        now = timezone.now()
        for hours in (0, 0, 2, 23, 24):
            a_failed_run(at=now - timedelta(hours=hours))
        services.rebuild_metrics()
        told = client_of(staff).get(PLATFORM).json()["failed_workflows_hourly"]
        numbers = [hour["value"] for hour in told]
        assert (len(numbers), numbers[0], numbers[21], numbers[23]) == (24, 1, 1, 2)
        assert sum(numbers) == 4, "the 24 hours that end with this one"

    def test_is_well_before_anybody_came(self, staff: Any, client_of: Any) -> None:
        numbers = client_of(staff).get(PLATFORM).json()
        assert numbers["avg_time_to_complete"] is None
        assert numbers["course_completion_rate"] == 0

    def test_is_for_staff_alone(
        self, student: Any, instructor: Any, administrator: Any, client_of: Any
    ) -> None:
        asked = {
            who: client_of(who).get(PLATFORM).status_code
            for who in (None, student, instructor, administrator)
        }
        assert list(asked.values()) == [401, 403, 403, 200]

    def test_asks_the_database_as_often_for_many_as_for_few(
        self, staff: Any, client_of: Any, django_assert_max_num_queries: Any
    ) -> None:
        EnrollmentFactory.create_batch(5)
        services.recompute_day(day=today())
        client = client_of(staff)
        with django_assert_max_num_queries(13):
            client.get(PLATFORM)


class TestCourse:
    def test_is_for_its_instructor_and_staff(
        self, instructor: Any, rival: Any, student: Any, staff: Any, client_of: Any
    ) -> None:
        course = CourseFactory(published=True, instructor=instructor)
        EnrollmentFactory(course=course, percentage=50)
        url = f"/api/v1/analytics/courses/{course.pk}"
        asked = [client_of(who).get(url).status_code for who in (None, student, rival, instructor, staff)]
        assert asked == [401, 403, 404, 200, 200]
        assert client_of(instructor).get(url).json()["average_percentage"] == 50

    def test_hides_a_course_that_does_not_exist(self, staff: Any, client_of: Any) -> None:
        assert (
            client_of(staff).get("/api/v1/analytics/courses/0190b6a4-0000-7000-8000-000000000000").status_code
            == 404
        )
