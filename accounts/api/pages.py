"""The pages that the links in our mails open, and the one that leads to a new password."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from accounts import services
from accounts.api.forms import AddressForm, NewPasswordForm


def private_page(
    request: HttpRequest, template: str, *, status: int = 200, **context: object
) -> HttpResponse:
    """Answer with a page whose address may hold a token: no other page is told it, no cache keeps it."""
    response = render(request, template, context, status=status)
    # Not `no-referrer`: browsers then send `Origin: null` with the form, which the CSRF check rightly refuses
    # (Fetch, 3.2).
    response["Referrer-Policy"] = "strict-origin"
    response["Cache-Control"] = "no-store"
    return response


@method_decorator([csrf_protect, sensitive_post_parameters("token")], name="dispatch")
class VerifyEmailPage(View):
    """Confirms an address by a button, so that what merely opens the link (a mail scanner) confirms nothing."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        template = "accounts/verify_email.html" if token else "accounts/not_verified.html"
        return private_page(request, template, token=token)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            user = services.verify_email(token=request.POST.get("token", ""), at=timezone.now())
        except services.InvalidVerification:
            return private_page(request, "accounts/not_verified.html", status=400)
        return private_page(request, "accounts/verified.html", person=user)


@method_decorator([csrf_protect, sensitive_post_parameters("token")], name="dispatch")
class ConfirmEmailPage(View):
    """Gives an account its new address, by a button for the same reason."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        template = "accounts/confirm_email.html" if token else "accounts/email_not_changed.html"
        return private_page(request, template, token=token)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            user = services.confirm_email_change(token=request.POST.get("token", ""), at=timezone.now())
        except services.InvalidEmailChange:
            return private_page(request, "accounts/email_not_changed.html", status=400)
        except services.EmailTaken:
            return private_page(request, "accounts/email_not_changed.html", status=409, is_taken=True)
        return private_page(request, "accounts/email_changed.html", person=user)


@method_decorator(csrf_protect, name="dispatch")
class ForgottenPasswordPage(View):
    """Takes the address that a link shall go to, and says the same of every one."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return private_page(request, "accounts/forgotten_password.html", form=AddressForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return private_page(request, "accounts/forgotten_password.html", status=400, form=form)
        services.request_password_reset(email=form.cleaned_data["email"], at=timezone.now())
        return private_page(request, "accounts/reset_on_its_way.html")


@method_decorator(
    [csrf_protect, sensitive_post_parameters("token", "new_password", "again")], name="dispatch"
)
class NewPasswordPage(View):
    """Sets the password of whoever reads the mail that the link was in; opening it uses nothing up."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        try:
            user = services.check_password_reset(token=token)
        except services.InvalidReset:
            return private_page(request, "accounts/no_reset.html", status=400)
        form = NewPasswordForm(initial={"token": token})
        return private_page(request, "accounts/new_password.html", form=form, person=user)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewPasswordForm(request.POST)
        try:
            user = services.check_password_reset(token=request.POST.get("token", ""))
            if form.is_valid():
                services.reset_password(
                    token=form.cleaned_data["token"],
                    new_password=form.cleaned_data["new_password"],
                    at=timezone.now(),
                )
                return private_page(request, "accounts/password_set.html", person=user)
        except services.InvalidReset:
            return private_page(request, "accounts/no_reset.html", status=400)
        except services.WeakPassword as error:
            for row in error.errors:
                form.add_error("new_password", row.detail)
        return private_page(request, "accounts/new_password.html", status=400, form=form, person=user)
