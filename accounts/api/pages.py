"""The page that the link in the verification mail opens."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from accounts import services


@method_decorator([csrf_protect, sensitive_post_parameters("token")], name="dispatch")
class VerifyEmailPage(View):
    """Confirms an address by a button, so that what merely opens the link (a mail scanner) confirms nothing."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        return self._page(
            request, "accounts/verify_email.html" if token else "accounts/not_verified.html", token=token
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            user = services.verify_email(token=request.POST.get("token", ""), at=timezone.now())
        except services.InvalidVerification:
            return self._page(request, "accounts/not_verified.html", status=400)
        return self._page(request, "accounts/verified.html", person=user)

    @staticmethod
    def _page(request: HttpRequest, template: str, *, status: int = 200, **context: object) -> HttpResponse:
        response = render(request, template, context, status=status)
        # The address of this page holds the token: no other page is told it, no cache keeps it. Not `no-referrer`:
        # browsers then send `Origin: null` with the form, which the CSRF check rightly refuses (Fetch, 3.2).
        response["Referrer-Policy"] = "strict-origin"
        response["Cache-Control"] = "no-store"
        return response
