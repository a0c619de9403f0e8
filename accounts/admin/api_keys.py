"""API keys in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import policies, services
from accounts.models import ApiKey
from smartcourse.backoffice.admin import ReadOnlyAdmin


class LiveFilter(admin.SimpleListFilter):
    """Keys that still open something, or that no longer do."""

    title = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Live"), ("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        live = ApiKey.objects.live(timezone.now())
        match self.value():
            case "live":
                return queryset.filter(pk__in=live)
            case "ended":
                return queryset.exclude(pk__in=live)
        return queryset


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Whose programs may do what, and since when; administrators may revoke. No page holds a key or its hash."""

    list_display = ("name", "user", "shown_prefix", "expires_at", "last_used_at", "revoked_at")
    list_filter = (LiveFilter,)
    list_select_related = ("user",)
    search_fields = ("name", "user__full_name", "user__email", "=prefix")
    fields = (
        "name",
        "user",
        "shown_prefix",
        "scopes",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    actions = ("revoke",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # `?digest__startswith=` would tell the hash letter by letter, and the owner's password likewise.
        return not {"digest", "user"} & {lookup.split("__", maxsplit=1)[0]}

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return super().get_actions(request) if policies.is_administrator(request.user) else {}

    @admin.display(description="Key", ordering="prefix")
    def shown_prefix(self, key: ApiKey) -> str:
        return f"sc_{key.prefix}_…"

    @admin.action(description="Revoke the selected keys")
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        now = timezone.now()
        keys = list(queryset)
        for key in keys:
            services.revoke_api_key(key_id=key.pk, at=now)
        self.message_user(request, f"Revoked {len(keys)} keys.", messages.SUCCESS)
