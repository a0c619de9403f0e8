"""A learner's home screen: where to go on, what was earned, and what is new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from certificates.models import Certificate
from enrollments.models import Enrollment, EnrollmentStatus
from notifications.models import Message
from progress.services import UNDER_WAY, UnderWay, courses_under_way

COURSES_SHOWN, CERTIFICATES_SHOWN, NOTIFICATIONS_SHOWN = 10, 3, 5


@dataclass(frozen=True)
class Totals:
    """How many there are of each in all; of what is listed, only the newest are."""

    under_way: int
    completed: int
    certificates: int
    unread_notifications: int


@dataclass(frozen=True)
class Dashboard:
    """What a learner's home screen shows."""

    courses: list[UnderWay]
    certificates: list[Certificate]
    notifications: list[Message]
    totals: Totals


def dashboard_of(user: Any) -> Dashboard:
    """Return a person's home screen, by as many queries however much there is."""
    certificates = Certificate.objects.obtainable().of(user)
    unread = Message.objects.in_app().visible_to(user).unread()
    counts = Enrollment.objects.of(user).aggregate(
        under_way=Count("pk", filter=Q(status__in=UNDER_WAY)),
        completed=Count("pk", filter=Q(status=EnrollmentStatus.COMPLETED)),
    )
    return Dashboard(
        courses=courses_under_way(student_id=user.pk, limit=COURSES_SHOWN),
        certificates=list(
            certificates.select_related("enrollment__course").order_by("-pk")[:CERTIFICATES_SHOWN]
        ),
        notifications=list(unread.order_by("-pk")[:NOTIFICATIONS_SHOWN]),
        totals=Totals(certificates=certificates.count(), unread_notifications=unread.count(), **counts),
    )
