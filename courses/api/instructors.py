"""Teachers, as learners see them: who they are is known to accounts, what they teach is known here.

Accounts stands below and knows no course; so its addresses under `/instructors` that tell of courses are served here.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policies
from accounts import services as accounts
from accounts.api.serializers import InstructorProfileInput, InstructorSerializer
from accounts.models import InstructorProfile, Role
from courses.models import Course
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import Anybody, allowed
from smartcourse.api.viewsets import ContextViewSet

NEWEST = 20
"""So many courses are told with a teacher; the others are found by `GET /courses?instructor=`."""


class TaughtCourseSerializer(serializers.ModelSerializer[Course]):
    """A course, as named beside who teaches it."""

    class Meta:
        model = Course
        fields = ["id", "title", "slug"]
        read_only_fields = fields


class TeacherSerializer(InstructorSerializer):
    """A teacher with the published courses, the newest twenty."""

    courses = TaughtCourseSerializer(many=True, source="user.published_courses")

    class Meta(InstructorSerializer.Meta):
        fields = [*InstructorSerializer.Meta.fields, "courses"]
        read_only_fields = fields


def teachers() -> QuerySet[InstructorProfile]:
    """Return everybody who teaches, with what they teach fetched along: three queries, however many there are."""
    # Cut for each teacher by the database (a window), so that one with a thousand courses costs like the others.
    newest = (
        Course.objects.published()
        .only("title", "slug", "instructor")
        .order_by("-published_at", "-id")[:NEWEST]
    )
    teaching = InstructorProfile.objects.filter(user__is_active=True, user__groups__name=Role.INSTRUCTOR)
    return (
        teaching.select_related("user")
        .prefetch_related(Prefetch("user__courses", newest, to_attr="published_courses"))
        .order_by("-user_id")
    )


class InstructorViewSet(ContextViewSet):
    """Teachers, as learners see them."""

    scope = "users"
    queryset = InstructorProfile.objects.select_related("user")
    pagination_class = CursorPagination
    lookup_field = "user_id"
    lookup_url_kwarg = "pk"
    serializers: ClassVar[dict[str, Any]] = {
        "list": TeacherSerializer, "retrieve": TeacherSerializer, "update_mine": InstructorSerializer,
    }  # fmt: skip
    inputs: ClassVar[dict[str, Any]] = {"update_mine": InstructorProfileInput}
    permissions: ClassVar[dict[str, Any]] = {
        "list": [Anybody],
        "retrieve": [Anybody],
        "update_mine": [allowed(policies.can_teach)],
    }

    def get_queryset(self) -> Any:
        return teachers()

    def list(self, request: Request, **_path: Any) -> Response:
        """List the teachers with their published courses."""
        return super().list(request)

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """Show a teacher: bio, headline, how many learners, and the published courses."""
        return super().retrieve(request)

    def update_mine(self, request: Request) -> Response:
        """Change what learners read about oneself."""
        return self.respond(
            accounts.update_instructor_profile(user_id=self.caller.pk, changes=self.validated(request))
        )
