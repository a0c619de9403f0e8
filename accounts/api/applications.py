"""Applications to teach, over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policies, services
from accounts.api import serializers as shapes
from accounts.api.filters import InstructorApplicationFilter
from accounts.models import InstructorApplication
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import SignedIn, allowed
from smartcourse.api.viewsets import ContextViewSet


class InstructorApplicationViewSet(ContextViewSet):
    """Applications to teach: one's own, and all for staff, who decide."""

    scope = "users"
    queryset = InstructorApplication.objects.with_people()
    pagination_class = CursorPagination
    filterset_class = InstructorApplicationFilter
    serializers: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("list", "retrieve", "create", "approve", "reject"), shapes.InstructorApplicationSerializer
    )
    inputs: ClassVar[dict[str, Any]] = {
        "create": shapes.InstructorApplicationInput,
        "approve": shapes.ApprovalInput,
        "reject": shapes.RejectionInput,
    }
    permissions: ClassVar[dict[str, Any]] = {
        "list": [SignedIn],
        "retrieve": [SignedIn],
        "create": [SignedIn],
        "approve": [allowed(policies.can_decide_applications)],
        "reject": [allowed(policies.can_decide_applications)],
    }
    raises: ClassVar[dict[str, Any]] = {
        "create": [services.AlreadyInstructor, services.ApplicationOpen],
        "approve": [services.ApplicationNotFound, services.ApplicationDecided, services.NotOneself],
        "reject": [
            services.ApplicationNotFound, services.ApplicationDecided, services.NotOneself,
            services.RejectionWithoutReason,
        ],
    }  # fmt: skip

    def list(self, request: Request, **_path: Any) -> Response:
        """List one's own applications, newest first; staff see everybody's."""
        return super().list(request)

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """Show an application, and what staff said."""
        return super().retrieve(request)

    def create(self, request: Request) -> Response:
        """Apply to teach; one application at a time is open."""
        application = services.apply_as_instructor(
            user_id=self.caller.pk, **self.validated(request), at=timezone.now()
        )
        return self.respond(application, created=True)

    def approve(self, request: Request, pk: UUID) -> Response:
        """Let the person teach."""
        return self.respond(
            services.approve_application(
                application_id=pk, by=self.caller, **self.validated(request), at=timezone.now()
            )
        )

    def reject(self, request: Request, pk: UUID) -> Response:
        """Say no, and why: the person is told."""
        return self.respond(
            services.reject_application(
                application_id=pk, by=self.caller, **self.validated(request), at=timezone.now()
            )
        )
