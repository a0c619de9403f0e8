"""The catalogue and courses over HTTP."""

from __future__ import annotations

import mimetypes
from typing import Any, ClassVar
from uuid import UUID

from django.http import FileResponse, Http404
from rest_framework.request import Request
from rest_framework.response import Response

from courses import policies, services
from courses.api import inputs, serializers
from courses.api.access import editable_course
from courses.api.filters import CourseFilter
from courses.models import Category, Course
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import Anybody, SignedIn, allowed
from smartcourse.api.viewsets import ContextViewSet

AUTHOR = [allowed(policies.can_create_courses)]
REFUSED_CHANGES = (
    services.SlugTaken,
    services.CategoryUnknown,
    services.CapacityBelowTaken,
    services.CourseArchivedAlready,
)


class CourseViewSet(ContextViewSet):
    """Courses: the catalogue for everybody, drafts for their authors."""

    scope = "courses"
    queryset = Course.objects.with_card()
    filterset_class = CourseFilter
    serializers: ClassVar[dict[str, Any]] = {
        "list": serializers.CourseCard,
        "retrieve": serializers.CourseDetail,
        "create": serializers.CourseDetail,
        "update": serializers.CourseDetail,
        "partial_update": serializers.CourseDetail,
        "publish": serializers.PublicationRequested,
    }
    inputs: ClassVar[dict[str, Any]] = {
        "create": inputs.CourseInput,
        "update": inputs.CourseInput,
        "partial_update": inputs.CourseInput,
    }
    permissions: ClassVar[dict[str, Any]] = {
        "list": [Anybody],
        "retrieve": [Anybody],
        "cover": [Anybody],
        "create": AUTHOR,
        "update": [SignedIn],
        "partial_update": [SignedIn],
        "destroy": [SignedIn],
        "publish": [SignedIn],
    }
    raises: ClassVar[dict[str, Any]] = {
        "create": [services.SlugTaken, services.CategoryUnknown],
        "update": REFUSED_CHANGES,
        "partial_update": REFUSED_CHANGES,
        "destroy": [services.CourseArchivedAlready],
        "publish": [services.CourseArchivedAlready],
    }
    unless_changed: ClassVar[dict[str, str]] = dict.fromkeys(
        ("update", "partial_update", "destroy", "publish"), "retrieve"
    )
    statuses: ClassVar[dict[str, int]] = {"publish": 202}
    files: ClassVar[dict[str, str]] = {"cover": "image/*"}

    def get_queryset(self) -> Any:
        if self.action == "list":
            return Course.objects.published().with_card().order_by("-published_at", "-pk")
        detailed = Course.objects.with_detail()
        return detailed.visible_to(self.request.user)

    def subject_of_change(self) -> Course:
        course = editable_course(self.request.user, self.kwargs["pk"])
        return self._fresh(services.lock_course(course.pk))

    def create(self, request: Request) -> Response:
        """Begin a course, as a draft of one's own."""
        course = services.create_course(instructor=request.user, **self.validated(request))
        return self.respond(self._fresh(course), created=True)

    def update(self, request: Request, pk: UUID) -> Response:
        """Change what is said of the course; its lessons are changed one by one."""
        editable_course(request.user, pk)
        return self.respond(
            self._fresh(services.update_course(course_id=pk, changes=self.validated(request)))
        )

    partial_update = update

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Archive the course: it is closed at once, and its learners keep reading; they are told in the background."""
        course = editable_course(request.user, pk)
        services.request_archiving(course_id=course.pk, by=self.caller.pk)
        return self.respond()

    def publish(self, request: Request, pk: UUID) -> Response:
        """Publish the draft, in the background; asked again meanwhile, it is the same process."""
        course = editable_course(request.user, pk)
        return self.respond(services.request_publication(course_id=course.pk, by=self.caller.pk))

    def cover(self, request: Request, pk: UUID) -> FileResponse:
        """The course's cover image."""
        course = self.get_object()
        if not course.cover:
            raise Http404
        try:
            image = course.cover.open("rb")
        except FileNotFoundError as error:
            raise Http404 from error
        kind = mimetypes.guess_type(course.cover.name)[0] or "application/octet-stream"
        return FileResponse(image, content_type=kind)

    def _fresh(self, course: Course) -> Course:
        return self.get_queryset().get(pk=course.pk)  # type: ignore[no-any-return]  # a QuerySet of courses


class MyCoursesViewSet(ContextViewSet):
    """The courses that one teaches, drafts among them."""

    scope = "courses"
    queryset = Course.objects.with_card()
    pagination_class = CursorPagination
    serializers: ClassVar[dict[str, Any]] = {"list": serializers.CourseDetail}
    permissions: ClassVar[dict[str, Any]] = {"list": AUTHOR}

    def get_queryset(self) -> Any:
        return Course.objects.with_detail().with_draft_outline().taught_by(self.request.user)


class CategoryViewSet(ContextViewSet):
    """The shelves of the catalogue."""

    scope = "courses"
    queryset = Category.objects.all()
    pagination_class = None
    serializers: ClassVar[dict[str, Any]] = {"list": serializers.CategorySerializer}
    permissions: ClassVar[dict[str, Any]] = {"list": [Anybody]}

    def get_queryset(self) -> Any:
        return Category.objects.all()

    def list(self, request: Request, **_path: Any) -> Response:
        return self.respond(self.get_queryset(), many=True)
