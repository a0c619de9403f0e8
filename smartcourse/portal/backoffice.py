"""The back office's home page: how the place is doing for staff, their own courses for teachers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth.models import Group
from django.db.models import Avg, Count, Model, Q, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApplicationStatus, InstructorApplication, Role, User
from accounts.policies import is_staff
from analytics.models import MetricName
from analytics.services import platform_numbers
from courses.models import Course, CourseStatus
from enrollments.models import SEATED, Enrollment, EnrollmentStatus
from notifications.models import Channel, Message, MessageStatus
from smartcourse.backoffice.home import CourseRow, Figure, Home, Trend, bar_chart, ranking
from smartcourse.events.models import Delivery, DeliveryStatus, OutboxFact
from smartcourse.queues.models import DeadLetter, DeadLetterStatus
from smartcourse.workflows.models import Run, RunStatus

PERIODS = {"daily": ("Today", 1), "weekly": ("7 days", 7), "monthly": ("30 days", 30)}
CHART_DAYS = 30
# More than fit on a screen are better looked through in the list, which can search.
COURSES_SHOWN = 25


def home_of(request: HttpRequest) -> Home:
    """Return the home page of whoever is asking; the queries are as many, however many rows there are."""
    now = timezone.now()
    return staff_home(at=now) if is_staff(request.user) else teacher_home(teacher=request.user, at=now)


def staff_home(*, at: datetime) -> Home:
    """Return the numbers of the whole place: people, courses, learning, and what the machinery owes."""
    numbers = platform_numbers(at=at)
    return Home(
        lead="How the place is doing, and what needs attention.",
        figures=_people_and_courses(numbers),
        trends=[
            _trend("Enrollments", "started_at", numbers["new_enrollments"], _days_of(numbers, "new_enrollments"), at),
            _trend("Completions", "completed_at", numbers["completions"], _days_of(numbers, "completions"), at),
        ],
        watch=_watch(),
        ranking=ranking([
            (row["title"], row["learner_count"], _page_of(row["id"]))
            for row in numbers["popular_courses"]
            if row["learner_count"]
        ]),
    )  # fmt: skip


def teacher_home(*, teacher: Any, at: datetime) -> Home:
    """Return a teacher's own courses, with how many learn in them and how far they are."""
    mine = Enrollment.objects.filter(course__instructor=teacher.pk)
    courses = (
        Course.objects.taught_by(teacher)
        .defer("search_vector", "description")
        .annotate(
            learners=Count("enrollments", filter=Q(enrollments__status__in=SEATED)),
            completions=Count("enrollments", filter=Q(enrollments__status=EnrollmentStatus.COMPLETED)),
            percentage=Avg("enrollments__percentage", filter=Q(enrollments__status__in=SEATED)),
        )
        .order_by("-learners", "-pk")[:COURSES_SHOWN]
    )
    return Home(
        lead="Your courses, and those who learn in them.",
        figures=_teaching(teacher, mine),
        trends=[
            _trend("Enrollments", "started_at", *_counted(mine, "started_at", at), at),
            _trend("Completions", "completed_at", *_counted(mine, "completed_at", at), at),
        ],
        courses=[_course_row(course) for course in courses],
    )


def _people_and_courses(numbers: Mapping[str, Any]) -> list[Figure]:
    groups = dict(Group.objects.filter(name__in=[Role.STUDENT, Role.INSTRUCTOR]).values_list("name", "pk"))
    people = {role: changelist(User, groups__id__exact=pk, is_active__exact=1) for role, pk in groups.items()}
    return [
        Figure("Students", numbers["total_students"], people.get(Role.STUDENT, "")),
        Figure("Instructors", numbers["total_instructors"], people.get(Role.INSTRUCTOR, "")),
        Figure(
            "Published courses",
            numbers["total_courses_published"],
            changelist(Course, status__exact=CourseStatus.PUBLISHED),
        ),
        Figure("Enrollments ever", numbers["total_enrollments"], changelist(Enrollment)),
        Figure("Completion rate", f"{numbers['course_completion_rate']:.0f} %"),
    ]


def _watch() -> list[Figure]:
    """Return what is on its way, and what came to a stop and needs a person."""
    deliveries = Delivery.objects.aggregate(
        owed=Count("pk", filter=Q(status=DeliveryStatus.PENDING)),
        parked=Count("pk", filter=Q(status=DeliveryStatus.PARKED)),
    )
    mails = Message.objects.filter(channel=Channel.MAIL).aggregate(
        waiting=Count("pk", filter=Q(status=MessageStatus.PENDING)),
        failed=Count("pk", filter=Q(status=MessageStatus.FAILED)),
    )
    facts = OutboxFact.objects.filter(relayed_at=None).count()
    runs = Run.objects.filter(status=RunStatus.FAILED).count()
    return [
        Figure("Facts waiting", facts, changelist(OutboxFact, relayed_at__isnull=True)),
        Figure(
            "Deliveries owed", deliveries["owed"], changelist(Delivery, status__exact=DeliveryStatus.PENDING)
        ),
        Figure(
            "Applications to teach",
            InstructorApplication.objects.open().count(),
            changelist(InstructorApplication, status__exact=ApplicationStatus.OPEN),
        ),
        Figure("Mails waiting", mails["waiting"], _mails(MessageStatus.PENDING)),
        _alarm(
            "Deliveries parked",
            deliveries["parked"],
            changelist(Delivery, status__exact=DeliveryStatus.PARKED),
        ),
        _alarm(
            "Dead letters",
            DeadLetter.objects.open().count(),
            changelist(DeadLetter, status__exact=DeadLetterStatus.OPEN),
        ),
        _alarm("Processes failed", runs, changelist(Run, status__exact=RunStatus.FAILED)),
        _alarm("Mails not sent", mails["failed"], _mails(MessageStatus.FAILED)),
    ]


def _alarm(label: str, value: int, url: str) -> Figure:
    return Figure(label, value, url, needs_attention=value > 0)


def _mails(status: MessageStatus) -> str:
    return changelist(Message, channel__exact=Channel.MAIL, status__exact=status)


def _teaching(teacher: Any, mine: QuerySet[Enrollment]) -> list[Figure]:
    courses = Course.objects.taught_by(teacher).aggregate(
        published=Count("pk", filter=Q(status=CourseStatus.PUBLISHED)),
        drafts=Count("pk", filter=Q(status=CourseStatus.DRAFT)),
    )
    learners = mine.aggregate(
        now=Count("pk", filter=Q(status__in=SEATED)),
        completed=Count("pk", filter=Q(status=EnrollmentStatus.COMPLETED)),
    )
    return [
        Figure(
            "Published courses",
            courses["published"],
            changelist(Course, status__exact=CourseStatus.PUBLISHED),
        ),
        Figure("Drafts", courses["drafts"], changelist(Course, status__exact=CourseStatus.DRAFT)),
        Figure("Learners", learners["now"], changelist(Enrollment)),
        Figure(
            "Completed",
            learners["completed"],
            changelist(Enrollment, status__exact=EnrollmentStatus.COMPLETED),
        ),
    ]


def _course_row(course: Any) -> CourseRow:
    return CourseRow(
        title=course.title,
        status=course.get_status_display(),
        url=_page_of(course.pk),
        learners=course.learners,
        learners_url=changelist(Enrollment, course__id__exact=course.pk),
        completions=course.completions,
        percentage=round(course.percentage or 0),
    )


def _counted(
    enrollments: QuerySet[Enrollment], moment: str, at: datetime
) -> tuple[dict[str, int], dict[date, int]]:
    """Return how many enrollments have that moment in each period, and on each day, up to now."""
    first = _midnight(at, days=CHART_DAYS)
    rows = enrollments.filter(**{f"{moment}__gte": first}).annotate(day=TruncDate(moment, tzinfo=UTC))
    by_day = dict(rows.values_list("day").annotate(Count("pk")).order_by("day"))
    periods = {
        name: sum(count for day, count in by_day.items() if day >= _midnight(at, days=days).date())
        for name, (_, days) in PERIODS.items()
    }
    return periods, by_day


def _days_of(numbers: Mapping[str, Any], name: str) -> dict[date, int]:
    return {row["day"]: row[MetricName(name)] for row in numbers["series"]}


def _trend(
    title: str, moment: str, periods: Mapping[str, int], by_day: Mapping[date, int], at: datetime
) -> Trend:  # fmt: skip
    first = _midnight(at, days=CHART_DAYS).date()
    days = [first + timedelta(days=n) for n in range(CHART_DAYS)]
    return Trend(
        title=title,
        periods=[
            Figure(label, periods[name], changelist(Enrollment, **{f"{moment}__gte": _midnight(at, days=n)}))
            for name, (label, n) in PERIODS.items()
        ],
        chart=bar_chart([(day, by_day.get(day, 0)) for day in days]),
    )


def _midnight(at: datetime, *, days: int) -> datetime:
    """Return the begin (UTC) of the first of the last `days` days, today included."""
    today = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)


def changelist(model: type[Model], **lookups: Any) -> str:
    """Return the address of the admin's list of that model, filtered; empty where the admin does not show it."""
    if not admin.site.is_registered(model):
        return ""
    url = reverse(admin_urlname(model._meta, "changelist"))  # type: ignore[arg-type]  # noqa: SLF001 - documented
    return f"{url}?{urlencode(lookups)}" if lookups else url


def _page_of(course_id: Any) -> str:
    return (
        reverse("admin:courses_course_change", args=[course_id]) if admin.site.is_registered(Course) else ""
    )
