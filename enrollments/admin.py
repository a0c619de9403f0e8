"""Enrollments in the back office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from enrollments import services
from enrollments.models import Enrollment, EnrollmentChange
from smartcourse.backoffice.admin import ReadOnlyAdmin, ReadOnlyInline
from smartcourse.errors import DomainError


class ReasonForm(ActionForm):
    """The action, and why it is done."""

    reason = forms.CharField(max_length=500, required=False)


class EnrollmentChangeInline(ReadOnlyInline):
    model = EnrollmentChange
    verbose_name_plural = "history"
    fields = ("at", "from_status", "to_status", "by", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("by")


@admin.register(Enrollment)
class EnrollmentAdmin(ReadOnlyAdmin):
    """Who learns what, and how far they are."""

    for_instructors = True
    list_display = ("student", "course", "status", "percentage", "created_at", "completed_at")
    list_filter = ("status", "created_at")
    search_fields = ("=id", "student__full_name", "student__email", "course__title")
    list_select_related = ("student", "course")
    ordering = ("-id",)
    fields = (
        "student", "course", "status", "percentage", "workflow_id", "created_at", "started_at", "completed_at",
        "ended_at",
    )  # fmt: skip
    inlines = (EnrollmentChangeInline,)
    action_form = ReasonForm
    actions = ("drop_selected",)

    @admin.action(description="Drop the selected enrollments (say the reason)")
    def drop_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        caller: Any = request.user
        reason, dropped = request.POST.get("reason", "").strip()[:500], 0
        for enrollment in queryset:
            try:
                services.drop_enrollment(
                    enrollment_id=enrollment.pk, by_id=caller.pk, reason=reason, at=timezone.now()
                )
            except DomainError as error:
                self.message_user(request, f"{enrollment}: {error.detail}", messages.ERROR)
                continue
            dropped += 1
        if dropped:
            self.message_user(request, f"{dropped} enrollments are dropped.", messages.SUCCESS)
