"""Numbers over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.policies import can_teach
from analytics import policies, services
from analytics.api.serializers import CourseNumbersSerializer, PlatformNumbersSerializer
from courses.models import Course
from smartcourse.api.permissions import allowed
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.errors import NotFound


class AnalyticsViewSet(ContextViewSet):
    """The platform, and single courses, in numbers."""

    scope = "analytics"
    queryset = Course.objects.all()
    serializers: ClassVar[dict[str, Any]] = {
        "platform": PlatformNumbersSerializer,
        "course": CourseNumbersSerializer,
    }
    permissions: ClassVar[dict[str, Any]] = {
        "platform": [allowed(policies.can_see_platform_numbers)],
        "course": [allowed(can_teach)],
    }

    def platform(self, request: Request) -> Response:
        """The whole platform, for staff."""
        return self.respond(services.platform_numbers(at=timezone.now()))

    def course(self, request: Request, pk: UUID) -> Response:
        """One course, for its instructor and staff; to other instructors it does not exist here."""
        course = Course.objects.filter(pk=pk).first()
        if course is None or not policies.can_see_course_numbers(request.user, course):
            raise NotFound
        return self.respond(services.course_numbers(course=course))
