"""The classroom: lessons, how far one is, and the files."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.serializers import MaterialSerializer
from courses.services import LinkInvalid, open_material
from enrollments.models import Enrollment
from progress import services
from progress.api.serializers import (
    LessonPageSerializer,
    PositionRequest,
    PositionSerializer,
    ProgressTreeSerializer,
)
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import Anybody, SignedIn
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.errors import NotAuthenticated


class LessonViewSet(ContextViewSet):
    """Lessons as learners read them."""

    scope = "progress"
    queryset = Enrollment.objects.none()
    serializers: ClassVar[dict[str, Any]] = {
        "retrieve": LessonPageSerializer, "complete": ProgressTreeSerializer, "position": PositionSerializer,
    }  # fmt: skip
    inputs: ClassVar[dict[str, Any]] = {"position": PositionRequest}
    # A free preview is for everybody; whether this lesson is one, the service says.
    permissions: ClassVar[dict[str, Any]] = {
        "retrieve": [Anybody],
        "complete": [SignedIn],
        "position": [SignedIn],
    }
    raises: ClassVar[dict[str, Any]] = {
        "retrieve": [NotAuthenticated, services.NotEnrolled],
        "complete": [services.QuizNotPassed, services.AssignmentNotSubmitted, services.EnrollmentNotActive],
    }

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """Read a lesson; for a learner, it is IN_PROGRESS from now on."""
        return self.respond(
            services.read_lesson(lesson_id=self.kwargs["pk"], user=request.user, at=timezone.now())
        )

    def complete(self, request: Request, pk: UUID) -> Response:
        """Complete a lesson and answer with the enrollment's progress; completing again answers the same."""
        enrollment = services.enter_lesson(lesson_id=pk, user=request.user)
        return self.respond(
            services.complete_lesson(enrollment_id=enrollment.pk, lesson_id=pk, at=timezone.now())
        )

    def position(self, request: Request, pk: UUID) -> Response:
        """Note where the reader stopped, and add the time spent."""
        asked = self.validated(request)
        enrollment = services.enter_lesson(lesson_id=pk, user=request.user)
        return self.respond(
            services.record_position(enrollment_id=enrollment.pk, lesson_id=pk, at=timezone.now(), **asked)
        )


class ProgressViewSet(ContextViewSet):
    """How far an enrollment is: one's own, those of one's courses, all for staff."""

    scope = "progress"
    queryset = Enrollment.objects.select_related("course").defer(
        "course__search_vector", "course__description"
    )
    serializers: ClassVar[dict[str, Any]] = {
        "retrieve": ProgressTreeSerializer, "summary": ProgressTreeSerializer,
    }  # fmt: skip
    permissions: ClassVar[dict[str, Any]] = {"retrieve": [SignedIn], "summary": [SignedIn]}

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """Return the enrollment's progress, lesson by lesson."""
        return self.respond(services.progress_tree(enrollment_id=self.get_object().pk))

    def summary(self, request: Request, pk: UUID) -> Response:
        """Return the same, at the address of older clients."""
        return self.retrieve(request)


class CourseMaterialsViewSet(ContextViewSet):
    """The files of an enrollment's course, for its readers."""

    scope = "progress"
    queryset = Enrollment.objects.select_related("course").defer(
        "course__search_vector", "course__description"
    )
    pagination_class = CursorPagination
    serializers: ClassVar[dict[str, Any]] = {"list": MaterialSerializer}
    permissions: ClassVar[dict[str, Any]] = {"list": [SignedIn]}
    raises: ClassVar[dict[str, Any]] = {"list": [services.NotEnrolled]}

    def list(self, request: Request, **_path: Any) -> Response:
        """List all files of the enrollment's course."""
        files: QuerySet[Any] = services.course_materials(enrollment=self.get_object(), user=request.user)
        page = self.paginate_queryset(files)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class MaterialViewSet(ContextViewSet):
    """Files: asked for by id, had by a short-lived link."""

    scope = "progress"
    queryset = Enrollment.objects.none()
    # A link is its own permission: it was given to whoever may have the file, for a few minutes.
    permissions: ClassVar[dict[str, Any]] = {"download": [Anybody], "content": [Anybody]}
    files: ClassVar[dict[str, str]] = {"content": "*/*"}
    raises: ClassVar[dict[str, Any]] = {
        "download": [NotAuthenticated, services.NotEnrolled],
        "content": [LinkInvalid],
    }
    statuses: ClassVar[dict[str, int]] = {"download": http.HTTP_302_FOUND}

    def download(self, request: Request, pk: UUID) -> Response:
        """Redirect to the file; the address is good for a few minutes."""
        link = services.download_link(material_id=pk, user=request.user)
        # The link is the reader's own; no cache between may hand it on.
        return Response(
            status=http.HTTP_302_FOUND, headers={"Location": link, "Cache-Control": "private, no-store"}
        )

    @extend_schema(parameters=[OpenApiParameter("signature", str, required=True)])
    def content(self, request: Request, pk: UUID) -> FileResponse:
        """Send the file of a link that `download` gave, as an attachment; a link that ran out is not found."""
        material = open_material(material_id=pk, signature=request.query_params.get("signature", ""))
        response = FileResponse(
            material.file.open("rb"),
            as_attachment=True,
            filename=material.name,
            content_type=material.content_type,
        )
        # Whatever a browser makes of it, it is not a page of ours.
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response
