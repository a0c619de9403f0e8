"""Attempts at quizzes, and submissions for assignments."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from courses.services import questions_of
from progress import services
from progress.api.serializers import (
    AttemptSerializer,
    StartedAttemptSerializer,
    SubmissionRequest,
    SubmissionSerializer,
    SubmitAttemptRequest,
)
from progress.models import QuizAttempt, Submission
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import SignedIn
from smartcourse.api.viewsets import ContextViewSet


class QuizAttemptViewSet(ContextViewSet):
    """Attempts at a quiz: one's own; all for the course's instructor and staff."""

    scope = "progress"
    queryset = QuizAttempt.objects.none()
    pagination_class = CursorPagination
    serializers: ClassVar[dict[str, Any]] = {
        "list": AttemptSerializer, "create": StartedAttemptSerializer, "submit": AttemptSerializer,
    }  # fmt: skip
    inputs: ClassVar[dict[str, Any]] = {"submit": SubmitAttemptRequest}
    permissions: ClassVar[dict[str, Any]] = {"list": [SignedIn], "create": [SignedIn], "submit": [SignedIn]}
    raises: ClassVar[dict[str, Any]] = {
        "create": [services.AttemptLimitReached],
        "submit": [
            services.AttemptAlreadySubmitted,
            services.AttemptLimitReached,
            services.EnrollmentNotActive,
        ],
    }
    finds: ClassVar[frozenset[str]] = frozenset({"create"})
    throttle_scopes: ClassVar[dict[str, str]] = {"submit": "assignments"}

    def list(self, request: Request, **_path: Any) -> Response:
        """List attempts, newest first."""
        page = self.paginate_queryset(services.attempts_at(quiz_id=self.kwargs["pk"], user=request.user))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def create(self, request: Request, pk: UUID) -> Response:
        """Begin an attempt: 201; 200 with the same one where it was begun and not handed in."""
        enrollment = services.enter_quiz(quiz_id=pk, user=request.user)
        attempt, created = services.start_attempt(enrollment_id=enrollment.pk, quiz_id=pk)
        shown = {
            "id": attempt.pk,
            "number": attempt.number,
            "attempts_left": attempt.attempts_left,
            "questions": questions_of(quiz_id=pk),
        }
        return self.respond(shown, created=created)

    def submit(self, request: Request, pk: UUID) -> Response:
        """Hand in answers and have them graded; passing completes the lesson."""
        asked = self.validated(request)
        enrollment = services.enter_quiz(quiz_id=pk, user=request.user)
        attempt = services.submit_attempt(enrollment_id=enrollment.pk, quiz_id=pk, at=timezone.now(), **asked)
        return self.respond(attempt)


class SubmissionViewSet(ContextViewSet):
    """Submissions for an assignment: one's own; all for the course's instructor and staff."""

    scope = "progress"
    queryset = Submission.objects.none()
    pagination_class = CursorPagination
    serializers: ClassVar[dict[str, Any]] = {"list": SubmissionSerializer, "create": SubmissionSerializer}
    inputs: ClassVar[dict[str, Any]] = {"create": SubmissionRequest}
    permissions: ClassVar[dict[str, Any]] = {"list": [SignedIn], "create": [SignedIn]}
    raises: ClassVar[dict[str, Any]] = {"create": [services.EnrollmentNotActive]}
    throttle_scopes: ClassVar[dict[str, str]] = {"list": "assignments", "create": "assignments"}

    def list(self, request: Request, **_path: Any) -> Response:
        """List submissions, newest first."""
        page = self.paginate_queryset(
            services.submissions_for(assignment_id=self.kwargs["pk"], user=request.user)
        )
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def create(self, request: Request, pk: UUID) -> Response:
        """Hand in a text, which completes the lesson; handing in again adds a submission."""
        asked = self.validated(request)
        caller: Any = request.user
        enrollment = services.enter_assignment(assignment_id=pk, user=caller)
        submission = services.submit_assignment(
            enrollment_id=enrollment.pk, assignment_id=pk, by_id=caller.pk, at=timezone.now(), **asked
        )
        return self.respond(submission, created=True)
