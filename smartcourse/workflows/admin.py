"""Processes in the back office, for staff: how far each is, why it failed, and what can be done about it."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from smartcourse.backoffice.admin import ReadOnlyAdmin
from smartcourse.errors import DomainError
from smartcourse.workflows import services
from smartcourse.workflows.definitions import process_called
from smartcourse.workflows.models import Run


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Processes under way and past, the latest first."""

    list_display = ("process", "status", "subject", "where", "attempts", "created_at", "took")
    list_filter = ("status", "process")
    search_fields = ("=id", "=subject_id", "=request_id")
    fields = (
        "process", "status", "subject", "subject_id", "requested_by", "data", "attempts", "error_code", "error",
        "request_id", "created_at", "next_attempt_at", "finished_at",
    )  # fmt: skip
    actions = ("retry_selected", "cancel_selected")
    object_actions: ClassVar[dict[str, str]] = {
        "retry_selected": "Try again now",
        "cancel_selected": "Cancel and undo",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("requested_by").prefetch_related("steps")

    @admin.display(description="about")
    def subject(self, run: Run) -> str:
        """What the run is about, with the way there."""
        # One of an earlier release may be of a process that is gone.
        with contextlib.suppress(LookupError):
            if about := process_called(run.process).about:
                # No name is asked for: each would be a query.
                options = apps.get_model(about)._meta  # noqa: SLF001 - documented under this name
                page = reverse(
                    f"admin:{options.app_label}_{options.model_name}_change", args=[run.subject_id]
                )
                return format_html('<a href="{}">{}</a>', page, options.verbose_name)
        return "-"

    @admin.display(description="step")
    def where(self, run: Run) -> str:
        """The step that the run stands at, and of how many."""
        steps = run.timeline
        if not run.is_live or run.position >= len(steps):
            return "-"
        return f"{run.position + 1} of {len(steps)}: {steps[run.position].name}"

    @admin.display(ordering="finished_at")
    def took(self, run: Run) -> str:
        """How long the run took, retries and waiting included."""
        if run.finished_at is None:
            return "-"
        # The database's clock may be put back between the two.
        seconds = max(0.0, (run.finished_at - run.created_at).total_seconds())
        return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))

    def offers(self, action: str, obj: Model) -> bool:
        return services.can_retry(obj) if action == "retry_selected" else services.can_cancel(obj)  # type: ignore[arg-type]  # this admin's objects are runs

    def object_context(self, obj: Model) -> dict[str, Any]:
        return {"timeline": obj.timeline}  # type: ignore[attr-defined]  # as above

    @admin.action(description="Try the selected processes again")
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for run in queryset:
            try:
                newer = services.retry(run.pk)
            except DomainError as error:
                self.message_user(request, f"{run}: {error.detail}", messages.ERROR)
                continue
            words = "is tried again now" if newer.pk == run.pk else f"is started again, as {newer.pk}"
            self.message_user(request, f"{run} {words}.", messages.SUCCESS)

    @admin.action(description="Cancel the selected processes, and undo what they did")
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        user: Any = request.user
        for run in queryset:
            try:
                services.cancel(run.pk, reason=f"Cancelled by {user.get_full_name()}.")
            except DomainError as error:
                self.message_user(request, f"{run}: {error.detail}", messages.ERROR)
                continue
            self.message_user(request, f"{run} is cancelled; what it did is being undone.", messages.SUCCESS)
