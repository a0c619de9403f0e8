"""Who is being guessed at, and from where, in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import policies, services
from accounts.models import SignInAttempts
from smartcourse.backoffice.admin import ReadOnlyAdmin


class LockedFilter(admin.SimpleListFilter):
    """Pairs of account and place that are locked now."""

    title = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("locked", "Locked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        locked = SignInAttempts.objects.locked(timezone.now())
        return queryset.filter(pk__in=locked) if self.value() else queryset


@admin.register(SignInAttempts)
class SignInAttemptsAdmin(ReadOnlyAdmin):
    """Wrong passwords of late, by account and place; administrators may unlock the account."""

    list_display = ("account_of", "place", "failures", "last_at", "locked_until")
    list_filter = (LockedFilter,)
    list_select_related = ("user",)
    search_fields = ("user__full_name", "user__email", "place")
    fields = ("account_of", "place", "failures", "last_at", "locked_until", "succeeded_at")
    actions = ("unlock",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        failing: QuerySet[Any] = rows.failing()
        return failing

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return super().get_actions(request) if policies.is_administrator(request.user) else {}

    @admin.display(description="Account", ordering="user__full_name")
    def account_of(self, row: SignInAttempts) -> str:
        # What was typed is not kept, so an address that nobody has cannot be told here.
        return str(row.user) if row.user else "an address without an account"

    @admin.action(description="Unlock signing in to these accounts")
    def unlock(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        accounts = set(queryset.values_list("account", flat=True))
        for account in accounts:
            services.unlock(account=account)
        self.message_user(request, f"Unlocked {len(accounts)} accounts.", messages.SUCCESS)
