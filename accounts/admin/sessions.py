"""Sessions in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import policies, services
from accounts.models import Session
from smartcourse.backoffice.admin import ReadOnlyAdmin


class LiveFilter(admin.SimpleListFilter):
    """Sessions that still open the API, or that no longer do."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Live"), ("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        live = Session.objects.live(timezone.now())
        match self.value():
            case "live":
                return queryset.filter(pk__in=live)
            case "ended":
                return queryset.exclude(pk__in=live)
        return queryset


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Who is signed in, on what; administrators may end it."""

    list_display = ("user", "user_agent", "address", "created_at", "last_used_at", "revoked_at")
    list_filter = (LiveFilter,)
    list_select_related = ("user",)
    search_fields = ("user__full_name", "user__email", "user_agent")
    fields = ("user", "user_agent", "address", "created_at", "last_used_at", "expires_at", "revoked_at")
    actions = ("end",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return super().get_actions(request) if policies.is_administrator(request.user) else {}

    @admin.action(description="End the selected sessions")
    def end(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        now = timezone.now()
        for session in queryset:
            services.end_session(session_id=session.pk, at=now)
        self.message_user(request, f"Ended {len(queryset)} sessions.", messages.SUCCESS)
