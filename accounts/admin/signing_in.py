"""Signing in to the back office: after the password, the second factor."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.second_step import is_complete_in, wait_in


class FirstStepView(LoginView):
    """Django's log-in, which signs nobody in by a password who has a second factor, or must set one up."""

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user, now = form.get_user(), timezone.now()
        methods = services.methods_of(user_id=user.pk)
        if not methods and not user.must_have_second_factor:
            return super().form_valid(form)
        lifetime = settings.MFA_TOKEN_LIFETIME if methods else settings.MFA_ENROLLMENT_LIFETIME
        challenge = services.open_challenge(user=user, methods=methods, at=now, lifetime=lifetime)
        wait_in(self.request, mfa_token=challenge.mfa_token, next_page=self.get_success_url())
        return HttpResponseRedirect(reverse("second-step" if methods else "first-factor"))


def has_second_factor(request: HttpRequest) -> bool:
    """Whether the session at the back office has all that its person must give (asked for every page)."""
    known: bool | None = getattr(request, "second_factor_given", None)
    if known is None:
        known = is_complete_in(request)
        setattr(request, "second_factor_given", known)  # noqa: B010 - a note on Django's own object
    return known


site: Any = admin.site
# The default site is ours, and below this context: it is given what only accounts knows.
site.login_view = FirstStepView
site.has_second_factor = has_second_factor
