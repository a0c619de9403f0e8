"""The admin's default: look, and touch nothing; what may be done is an action that calls a service."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Shows rows to those who may see them: all to staff, their own to instructors where `for_instructors` is set.

    Whose rows are whose is the QuerySet's business (`visible_to`); so the same holds for lists, pages, autocomplete
    and actions.
    """

    for_instructors = False
    show_full_result_count = False
    list_per_page = 50
    # Actions that stand as buttons on an object's own page, with what is written on them.
    object_actions: ClassVar[dict[str, str]] = {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset: Any = super().get_queryset(request)
        visible: QuerySet[Any] = queryset.visible_to(request.user) if self.for_instructors else queryset
        return visible

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        user: Any = request.user
        return bool(
            user.is_active and (user.is_staff or (self.for_instructors and user.may_enter_backoffice))
        )

    def offers(self, action: str, obj: Model) -> bool:
        """Tell whether the object's page shows that action's button; the action itself refuses in any case."""
        return True

    def object_context(self, obj: Model) -> dict[str, Any]:
        """Return what else the template of the object's page is given."""
        return {}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **named: Any
    ) -> HttpResponse:
        if obj := named.get("obj"):
            context = {**context, **self.object_context(obj), "object_actions": self._buttons(request, obj)}
        return super().render_change_form(request, context, *args, **named)

    def _buttons(self, request: HttpRequest, obj: Model) -> list[dict[str, str]]:
        url = reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")
        allowed = self.get_actions(request)
        return [
            {"name": name, "label": label, "url": url}
            for name, label in self.object_actions.items()
            if name in allowed and self.offers(name, obj)
        ]

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Come back to the object's page where the action was a button of it."""
        response = super().response_action(request, queryset)
        if isinstance(response, HttpResponseRedirect) and (pk := request.POST.get("_from_object")):
            page = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(page, args=[pk]))
        return response

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline[Any, Any]):
    """Rows below the object they belong to, to be read."""

    extra = 0
    can_delete = False
    show_change_link = False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields or ()

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Whoever was let see the object above sees what belongs to it.
        return True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
