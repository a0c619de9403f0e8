"""Numbers: recomputed from the rows of the contexts below, never counted up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, F, Min, Q, Sum
from django.utils import timezone

from accounts.models import Role, User
from analytics.models import DailyMetric, HourlyMetric, MetricName
from courses.models import Course
from enrollments.models import SEATED, Enrollment, EnrollmentStatus
from smartcourse.workflows.models import Run, RunStatus

Span = tuple[datetime, datetime]


def _enrollments_of(span: Span) -> int:
    return Enrollment.objects.filter(started_at__range=span).count()


def _completions_of(span: Span) -> int:
    return Enrollment.objects.filter(completed_at__range=span).count()


def _failed_runs_of(span: Span) -> int:
    return Run.objects.filter(status=RunStatus.FAILED, finished_at__range=span).count()


SOURCES: dict[MetricName, Callable[[Span], int]] = {
    MetricName.NEW_ENROLLMENTS: _enrollments_of,
    MetricName.COMPLETIONS: _completions_of,
    MetricName.FAILED_WORKFLOWS: _failed_runs_of,
}


HOURLY = (MetricName.FAILED_WORKFLOWS,)
"""What is counted by the hour, too."""


def recompute_day(*, day: date, names: Collection[MetricName] = tuple(SOURCES)) -> None:
    """Set down the metrics of that day (UTC) as the contexts' rows have them now; the same again changes nothing."""
    span = _span_of(day)
    DailyMetric.objects.bulk_create(
        [
            DailyMetric(name=name, day=day, value=SOURCES[name](span), computed_at=timezone.now())
            for name in names
        ],
        update_conflicts=True,
        unique_fields=["name", "day"],
        update_fields=["value", "computed_at"],
    )


def recompute_hour(*, moment: datetime, names: Collection[MetricName] = HOURLY) -> None:
    """Set down the metrics of the hour (UTC) in which that moment lies; the same again changes nothing."""
    hour = _hour_of(moment)
    span = hour, hour + timedelta(hours=1) - timedelta(microseconds=1)
    HourlyMetric.objects.bulk_create(
        [
            HourlyMetric(name=name, hour=hour, value=SOURCES[name](span), computed_at=timezone.now())
            for name in names
        ],
        update_conflicts=True,
        unique_fields=["name", "hour"],
        update_fields=["value", "computed_at"],
    )


def recount_failed_run(*, run_id: UUID) -> None:
    """Count again the processes that failed on the day, and in the hour, in which that one did."""
    # By its row and not by its fact, which is younger by the length of a transaction.
    finished_at = Run.objects.filter(pk=run_id).values_list("finished_at", flat=True).first()
    if finished_at:
        recompute_day(day=finished_at.astimezone(UTC).date(), names=[MetricName.FAILED_WORKFLOWS])
        recompute_hour(moment=finished_at)


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def rebuild_metrics(*, progress: Callable[[date], None] | None = None) -> int:
    """Throw all metrics away and compute them again from the first day that has any; return how many days that were."""
    DailyMetric.objects.all().delete()
    HourlyMetric.objects.all().delete()
    for moment in _hours_with_failures():
        recompute_hour(moment=moment)
    first = _first_moment()
    if first is None:
        return 0
    today, day, days = timezone.now().astimezone(UTC).date(), first.astimezone(UTC).date(), 0
    while day <= today:
        recompute_day(day=day)
        if progress:
            progress(day)
        day, days = day + timedelta(days=1), days + 1
    return days


def _first_moment() -> datetime | None:
    begun = [
        Enrollment.objects.aggregate(first=Min("created_at"))["first"],
        Run.objects.filter(status=RunStatus.FAILED).aggregate(first=Min("finished_at"))["first"],
    ]
    return min((moment for moment in begun if moment), default=None)


def _hours_with_failures() -> list[datetime]:
    failed = Run.objects.filter(status=RunStatus.FAILED)
    return list(failed.datetimes("finished_at", "hour", tzinfo=UTC))


def _span_of(day: date) -> Span:
    begin = datetime.combine(day, time.min, tzinfo=UTC)
    return begin, begin + timedelta(days=1) - timedelta(microseconds=1)


def platform_numbers(*, at: datetime) -> dict[str, Any]:
    """Return what staff want to see first: people and courses live, enrollments and completions by day, week, month.

    `course_completion_rate` is the share of learners who completed, 0 to 100; times are in seconds.
    """
    totals = Enrollment.objects.aggregate(
        enrollments=Count("pk", filter=Q(started_at__isnull=False)),
        completions=Count("pk", filter=Q(status=EnrollmentStatus.COMPLETED)),
        average=Avg(F("completed_at") - F("started_at"), filter=Q(status=EnrollmentStatus.COMPLETED)),
    )
    return {
        "total_students": User.objects.active().with_role(Role.STUDENT).count(),
        "total_instructors": User.objects.active().with_role(Role.INSTRUCTOR).count(),
        "total_courses_published": Course.objects.published().count(),
        "total_enrollments": totals["enrollments"],
        "total_completions": totals["completions"],
        "new_enrollments": _by_period(MetricName.NEW_ENROLLMENTS, at),
        "completions": _by_period(MetricName.COMPLETIONS, at),
        "failed_workflows": _by_period(MetricName.FAILED_WORKFLOWS, at),
        "course_completion_rate": _percent(totals["completions"], totals["enrollments"]),
        "avg_time_to_complete": totals["average"].total_seconds() if totals["average"] else None,
        "popular_courses": _popular_courses(),
        "series": _series(at),
        "failed_workflows_hourly": _hours(MetricName.FAILED_WORKFLOWS, at),
    }


def _by_period(name: MetricName, at: datetime) -> dict[str, int]:
    """Return the sums of today, of the last 7 and of the last 30 days, today included."""
    today = at.astimezone(UTC).date()
    days = {"daily": 1, "weekly": 7, "monthly": 30}
    sums = DailyMetric.objects.filter(name=name, day__lte=today).aggregate(
        **{period: Sum("value", filter=Q(day__gt=today - timedelta(days=n))) for period, n in days.items()}
    )
    return {period: sums[period] or 0 for period in days}


def _series(at: datetime) -> list[dict[str, Any]]:
    """Return the last 30 days, one row a day that has numbers."""
    since = at.astimezone(UTC).date() - timedelta(days=29)
    rows: dict[date, dict[str, Any]] = {}
    for metric in DailyMetric.objects.filter(day__gte=since).order_by("day"):
        row = rows.setdefault(metric.day, {"day": metric.day, **{name.value: 0 for name in MetricName}})
        row[metric.name] = metric.value
    return list(rows.values())


def _hours(name: MetricName, at: datetime) -> list[dict[str, Any]]:
    """Return the last 24 hours, the one that is running last, each with its number, be it none."""
    last = _hour_of(at)
    hours = [last - timedelta(hours=back) for back in range(23, -1, -1)]
    values = dict(
        HourlyMetric.objects.filter(name=name, hour__range=(hours[0], last)).values_list("hour", "value")
    )
    return [{"hour": hour, "value": values.get(hour, 0)} for hour in hours]


def _popular_courses(limit: int = 5) -> list[dict[str, Any]]:
    courses = Course.objects.published().order_by("-learner_count", "-published_at")
    return [dict(row) for row in courses.values("id", "title", "learner_count")[:limit]]


def course_numbers(*, course: Course) -> dict[str, Any]:
    """Return what a teacher wants to know of a course: how many learn, how far they are, how many completed."""
    numbers = Enrollment.objects.filter(course=course).aggregate(
        enrollments=Count("pk", filter=Q(status__in=SEATED)),
        completions=Count("pk", filter=Q(status=EnrollmentStatus.COMPLETED)),
        dropped=Count("pk", filter=Q(status=EnrollmentStatus.DROPPED)),
        average_percentage=Avg("percentage", filter=Q(status__in=SEATED)),
    )
    return {
        "course_id": course.pk,
        "enrollments": numbers["enrollments"],
        "completions": numbers["completions"],
        "dropped": numbers["dropped"],
        "average_percentage": round(numbers["average_percentage"] or 0, 2),
        "course_completion_rate": _percent(numbers["completions"], numbers["enrollments"]),
    }


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
