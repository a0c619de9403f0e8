"""Enrolling, one's own enrollments, and the roster."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from courses.models import Course
from courses.services import CourseFull, EnrollmentClosed
from enrollments import policies, services
from enrollments.api.filters import EnrollmentFilter
from enrollments.api.serializers import (
    DropRequest,
    EnrollmentDetail,
    EnrollmentSummary,
    EnrollRequest,
    RosterRow,
)
from enrollments.models import Enrollment
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import SignedIn, allowed
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.errors import NotAllowed


class EnrollmentViewSet(ContextViewSet):
    """A learner's own enrollments; those of a course for its instructor, all for staff."""

    scope = "enrollments"
    queryset = Enrollment.objects.with_course()
    pagination_class = CursorPagination
    filterset_class = EnrollmentFilter
    serializers: ClassVar[dict[str, Any]] = {
        "create": EnrollmentDetail, "list": EnrollmentSummary, "retrieve": EnrollmentDetail,
    }  # fmt: skip
    inputs: ClassVar[dict[str, Any]] = {"create": EnrollRequest, "destroy": DropRequest}
    permissions: ClassVar[dict[str, Any]] = {
        "create": [SignedIn], "list": [SignedIn], "retrieve": [SignedIn], "destroy": [SignedIn],
    }  # fmt: skip
    raises: ClassVar[dict[str, Any]] = {
        "create": [
            services.CourseNotFound, services.StudentNotFound, services.OwnCourse, services.PaymentRequired,
            CourseFull, EnrollmentClosed, services.ReasonRequired, services.EnrollmentBusy,
        ],
        "destroy": [services.ReasonRequired, services.CompletedCannotBeDropped],
    }  # fmt: skip
    finds: ClassVar[frozenset[str]] = frozenset({"create"})

    def get_queryset(self) -> QuerySet[Enrollment]:
        # "My courses" are one's own, also for an instructor or staff, who by their id may read others' too.
        return (
            Enrollment.objects.with_course().of(self.request.user)
            if self.action == "list"
            else super().get_queryset()
        )

    def create(self, request: Request) -> Response:
        """Enroll: 201 with a PENDING enrollment, 200 with the same one where the learner is enrolled already."""
        asked = self.validated(request)
        caller: Any = request.user
        student_id = asked.pop("student_id", caller.pk)
        if not policies.can_enroll(caller, student_id=student_id):
            raise NotAllowed
        enrollment, created = services.enroll(
            student_id=student_id, by_id=caller.pk, at=timezone.now(), **asked
        )
        return self.respond(enrollment, created=created)

    @extend_schema(
        parameters=[OpenApiParameter("reason", str, description="Required for another's enrollment.")]
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Drop the enrollment and free its seat; dropping again says 204 again."""
        caller: Any = request.user
        services.drop_enrollment(
            enrollment_id=self.get_object().pk,
            by_id=caller.pk,
            at=timezone.now(),
            **self.validated(request),
        )
        return self.respond()


class RosterViewSet(ContextViewSet):
    """Who is in a course, for whoever may edit it."""

    scope = "enrollments"
    queryset = Enrollment.objects.select_related("student")
    pagination_class = CursorPagination
    filterset_class = EnrollmentFilter
    serializers: ClassVar[dict[str, Any]] = {"list": RosterRow}
    permissions: ClassVar[dict[str, Any]] = {"list": [allowed(policies.can_read_rosters)]}
    raises: ClassVar[dict[str, Any]] = {"list": [services.CourseNotFound]}

    def get_queryset(self) -> QuerySet[Enrollment]:
        course_id = self.kwargs["pk"]
        if not Course.objects.editable_by(self.request.user).filter(pk=course_id).exists():
            raise services.CourseNotFound
        return Enrollment.objects.select_related("student").filter(course=course_id)

    def list(self, request: Request, **_path: Any) -> Response:
        """List the course's enrollments, newest first."""
        return super().list(request)
