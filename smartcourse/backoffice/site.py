"""The admin site: by role, so that instructors work in it without being staff."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

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
    # accounts, which stands above, puts a form here that ends the person's sessions as well.
    password_form: type[AdminPasswordChangeForm] = AdminPasswordChangeForm
    # And what comes after the right password, and tells for every page whether that was given.
    login_view: type[LoginView] = LoginView
    has_second_factor: Callable[[HttpRequest], bool] = staticmethod(lambda _: True)

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        may_enter = getattr(user, "may_enter_backoffice", False)
        return bool(user.is_active and may_enter and self.has_second_factor(request))

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Ask for the password, by the view that this site was given (Django's has a fixed one)."""
        index = reverse("admin:index", current_app=self.name)
        if request.method == "GET" and self.has_permission(request):
            return cast("TemplateResponse", HttpResponseRedirect(index))
        context = {
            **self.each_context(request),
            "title": "Log in",
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            **(extra_context or {}),
        }
        view = self.login_view.as_view(
            authentication_form=self.login_form,
            extra_context=context,
            next_page=index,
            template_name="admin/login.html",
        )
        request.current_app = self.name
        return cast("TemplateResponse", view(request))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show what whoever stands above the back office provides (`smartcourse.backoffice.home`)."""
        return super().index(request, {"home": home_for(request), **(extra_context or {})})

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Change one's own password, by the form that this site was given (Django's has a fixed one)."""
        view = PasswordChangeView.as_view(
            form_class=self.password_form,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        # The view answers with a redirect once it is done; the annotation it inherits knows of the form alone.
        return cast("TemplateResponse", view(request))
