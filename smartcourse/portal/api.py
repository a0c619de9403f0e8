"""`GET /me/dashboard`: a learner's home screen in one answer."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from certificates.api.serializers import CertificateSerializer
from courses.api.serializers import CourseBrief
from courses.models import LessonType
from enrollments.models import Enrollment, EnrollmentStatus
from notifications.api.serializers import NotificationSerializer
from smartcourse.api.permissions import SignedIn
from smartcourse.api.scopes import CLOSED
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.portal.dashboard import dashboard_of

Answer = serializers.Serializer[Any]


class NextLessonSerializer(Answer):
    """The lesson to go on with."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    type = serializers.ChoiceField(choices=LessonType.choices)


class UnderWaySerializer(Answer):
    """A course under way; `percentage` is 0 to 100."""

    enrollment_id = serializers.UUIDField(source="enrollment.pk")
    status = serializers.ChoiceField(choices=EnrollmentStatus.choices, source="enrollment.status")
    percentage = serializers.FloatField(source="enrollment.percentage")
    course = CourseBrief(source="enrollment.course")
    lessons_total = serializers.IntegerField()
    lessons_completed = serializers.IntegerField()
    next_lesson = NextLessonSerializer(allow_null=True)
    last_accessed_at = serializers.DateTimeField(allow_null=True)


class TotalsSerializer(Answer):
    """How many there are in all."""

    under_way = serializers.IntegerField()
    completed = serializers.IntegerField()
    certificates = serializers.IntegerField()
    unread_notifications = serializers.IntegerField()


class DashboardSerializer(Answer):
    """Up to ten courses, the one last studied first; the newest three certificates and five unread notices."""

    courses = UnderWaySerializer(many=True)
    certificates = CertificateSerializer(many=True)
    notifications = NotificationSerializer(many=True)
    totals = TotalsSerializer()


class DashboardViewSet(ContextViewSet):
    """One's own home screen."""

    # It tells of several resources at once, each of which a key would need a scope for.
    scope = CLOSED
    queryset = Enrollment.objects.none()
    serializers: ClassVar[dict[str, Any]] = {"retrieve": DashboardSerializer}
    permissions: ClassVar[dict[str, Any]] = {"retrieve": [SignedIn]}

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """What a learner's home screen needs: where to go on, what was earned, and what is new."""
        return self.respond(dashboard_of(self.caller))


urlpatterns = [path("me/dashboard", DashboardViewSet.as_view({"get": "retrieve"}), name="dashboard")]
