"""Exports and erasures in the back office: to be read, with what happened."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import PrivacyRequest
from smartcourse.backoffice.admin import ReadOnlyAdmin


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(ReadOnlyAdmin):
    """Who asked for a copy of their data or its end, and what was done; the copy itself is its owner's alone."""

    list_display = ("user", "kind", "status", "created_at", "due_at", "finished_at")
    list_filter = ("kind", "status")
    list_select_related = ("user",)
    # The id too: an erased person has no other name.
    search_fields = ("user__full_name", "user__email", "=user__id", "=id")
    fields = (
        "user", "user_id", "kind", "status", "requested_by", "reason", "created_at", "due_at", "finished_at",
        "expires_at", "process", "what_was_done",
    )  # fmt: skip
    readonly_fields = ("user_id", "process", "what_was_done")

    @admin.display(description="process")
    def process(self, request: PrivacyRequest) -> Any:
        if request.workflow_id is None:
            return "-"
        url = reverse(f"{self.admin_site.name}:workflows_run_change", args=[request.workflow_id])
        return format_html('<a href="{}">{}</a>', url, request.workflow_id)

    @admin.display(description="rows")
    def what_was_done(self, request: PrivacyRequest) -> str:
        """How many rows of which table were told, or erased."""
        return "\n".join(f"{name}: {count}" for name, count in sorted(request.counts.items())) or "-"
