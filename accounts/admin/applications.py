"""Applications to teach in the back office."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import services
from accounts.admin.acting import acting
from accounts.models import InstructorApplication
from smartcourse.backoffice.admin import ReadOnlyAdmin
from smartcourse.backoffice.reasons import reason_for
from smartcourse.errors import DomainError


@admin.register(InstructorApplication)
class InstructorApplicationAdmin(ReadOnlyAdmin):
    """Who asks to be let teach, and what was said to them before; staff decide."""

    list_display = ("user", "status", "created_at", "decided_by", "decided_at")
    list_filter = ("status",)
    list_select_related = ("user", "decided_by")
    search_fields = ("user__full_name", "user__email", "=id")
    fields = ("user", "statement", "status", "created_at", "decided_by", "decided_at", "reason")
    actions = ("approve", "reject")
    object_actions: ClassVar[dict[str, str]] = {"approve": "Let them teach", "reject": "Say no…"}

    def offers(self, action: str, obj: Model) -> bool:
        return isinstance(obj, InstructorApplication) and obj.is_open

    @admin.action(description="Let the selected applicants teach")
    def approve(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._for_each(request, queryset, services.approve_application)

    @admin.action(description="Say no to the selected applicants")
    def reject(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        reason = reason_for(self, request, queryset, action="reject", question="Say no to these applicants")
        if isinstance(reason, HttpResponse):
            return reason
        self._for_each(request, queryset, services.reject_application, reason=reason)
        return None

    def _for_each(self, request: HttpRequest, queryset: QuerySet[Any], deed: Any, **said: str) -> None:
        done = 0
        for application in queryset:
            try:
                deed(application_id=application.pk, by=acting(request), at=timezone.now(), **said)
                done += 1
            except DomainError as error:
                self.message_user(request, f"{application.user}: {error.detail}", messages.ERROR)
        if done:
            self.message_user(request, f"Done for {done} people.", messages.SUCCESS)
