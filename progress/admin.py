"""What learners did, in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from progress import policies, services
from progress.models import CourseProgress, LessonProgress, QuizAttempt, Submission
from smartcourse.backoffice.admin import ReadOnlyAdmin

# An enrollment is shown as "who in what".
ENROLLMENT = ("enrollment__student", "enrollment__course")
BY_WHOM = (
    "=enrollment__id",
    "enrollment__student__full_name",
    "enrollment__student__email",
    "enrollment__course__title",
)


@admin.register(CourseProgress)
class CourseProgressAdmin(ReadOnlyAdmin):
    """How far learners are."""

    for_instructors = True
    list_display = ("enrollment", "percentage", "last_accessed_at")
    list_filter = ("last_accessed_at",)
    search_fields = BY_WHOM
    list_select_related = ENROLLMENT
    ordering = ("-enrollment",)
    fields = ("enrollment", "percentage", "last_accessed_at", "created_at", "updated_at")
    actions = ("recompute_selected",)

    def has_recompute_permission(self, request: HttpRequest) -> bool:
        return policies.can_recompute_progress(request.user)

    @admin.action(
        description="Recompute from the lessons (may lower a percentage)", permissions=["recompute"]
    )
    def recompute_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for enrollment_id in queryset.values_list("pk", flat=True):
            services.recompute_progress(enrollment_id=enrollment_id, at=timezone.now())
        self.message_user(request, f"{queryset.count()} are recomputed.", messages.SUCCESS)


@admin.register(LessonProgress)
class LessonProgressAdmin(ReadOnlyAdmin):
    """What learners did with each lesson."""

    for_instructors = True
    list_display = ("enrollment", "lesson_id", "status", "first_read_at", "completed_at", "seconds_spent")
    list_filter = ("status",)
    search_fields = (*BY_WHOM, "=lesson_id")
    list_select_related = ENROLLMENT
    ordering = ("-id",)


@admin.register(QuizAttempt)
class QuizAttemptAdmin(ReadOnlyAdmin):
    """Attempts at quizzes, and what they came to."""

    for_instructors = True
    list_display = ("enrollment", "quiz", "number", "score", "maximum", "passed", "submitted_at")
    list_filter = ("passed", "submitted_at")
    search_fields = BY_WHOM
    list_select_related = (*ENROLLMENT, "quiz")
    ordering = ("-id",)


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    """What was handed in for assignments."""

    for_instructors = True
    list_display = ("enrollment", "assignment", "number", "submitted_at")
    list_filter = ("submitted_at",)
    search_fields = BY_WHOM
    list_select_related = (*ENROLLMENT, "assignment")
    ordering = ("-id",)
