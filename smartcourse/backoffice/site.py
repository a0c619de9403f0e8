"""The admin site: by role, so that instructors work in it without being staff."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest
from django.template.response import TemplateResponse

from smartcourse.backoffice.home import home_for


class BackofficeLoginForm(AdminAuthenticationForm):
    """Django's form for the admin, asking for the role where that one asks for `is_staff`."""

    def confirm_login_allowed(self, user: Any) -> None:
        if not user.is_active or not user.may_enter_backoffice:
            # The same words as for a wrong password: what an account may do is not told to whoever guesses.
            raise self.get_invalid_login_error()


class BackofficeSite(AdminSite):
    """Staff and administrators see everything, instructors their own rows, others the log-in page."""

    site_header = "SmartCourse"
    site_title = "SmartCourse"
    index_title = "Back office"
    empty_value_display = "–"
    login_form = BackofficeLoginForm

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        may_enter = getattr(user, "may_enter_backoffice", False)
        return bool(user.is_active and may_enter)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show what whoever stands above the back office provides (`smartcourse.backoffice.home`)."""
        return super().index(request, {"home": home_for(request), **(extra_context or {})})
