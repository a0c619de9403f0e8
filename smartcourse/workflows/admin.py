"""Processes in the back office, for staff."""

from __future__ import annotations

from django.contrib import admin

from smartcourse.backoffice.admin import ReadOnlyAdmin, ReadOnlyInline
from smartcourse.workflows.models import Run, StepRecord


class StepRecordInline(ReadOnlyInline):
    model = StepRecord
    fields = ("name", "status", "attempts", "at", "error")


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """How far each process is, and why it failed."""

    list_display = ("process", "status", "subject_id", "position", "attempts", "created_at", "finished_at")
    list_filter = ("process", "status")
    search_fields = ("=id", "=subject_id", "=request_id")
    fields = (
        "process", "status", "subject_id", "requested_by", "data", "position", "attempts", "error_code", "error",
        "request_id", "created_at", "next_attempt_at", "finished_at",
    )  # fmt: skip
    inlines = (StepRecordInline,)
