"""The pages of the back office between a right password and the first page: the second factor, or setting one up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from accounts import services
from accounts.api.devices import device_of, remember_device
from accounts.api.forms import CodeForm
from accounts.api.pages import private_page
from accounts.models import Method, User
from accounts.second_step import Waiting, complete_in, waiting_in

# What is written above the field, and the field's own name.
WORDS = {
    Method.TOTP: ("Open your authenticator app and type the six digits that it shows.", "Code of the app"),
    Method.EMAIL: ("Type the six digits of the mail. They work for ten minutes.", "Code of the mail"),
    Method.RECOVERY: ("Type one of the recovery codes that you wrote down. It works once.", "Recovery code"),
}
OTHERWISE = {
    Method.TOTP: "Use the authenticator app",
    Method.EMAIL: "Have a code mailed",
    Method.RECOVERY: "Use a recovery code",
}


@method_decorator([csrf_protect, sensitive_post_parameters("code")], name="dispatch")
class StepPage(View):
    """A page for who has given the password; everybody else is led to where it is asked for."""

    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        waiting = waiting_in(request)
        if waiting is None:
            return redirect("admin:login")
        self.waiting: Waiting = waiting
        try:
            return super().dispatch(request, *args, **kwargs)
        except (services.InvalidMfaToken, services.MfaDisabled):
            # Too long ago, or elsewhere: there is nothing to be said about it but the beginning.
            return redirect("admin:login")

    def page(self, template: str, *, status: int = 200, **context: object) -> HttpResponse:
        """Answer with a page that looks like the log-in before it."""
        site = admin.site.each_context(self.request)
        return private_page(self.request, f"admin/{template}.html", status=status, **{**site, **context})

    def arrive(self, user: User, answer: Callable[[], HttpResponse]) -> HttpResponse:
        """Sign the person in, and give the answer to a device that is known from now on."""
        device = device_of(self.request)
        complete_in(self.request, user)
        return remember_device(answer(), email=user.email, device=device)


class SecondStepPage(StepPage):
    """Asks for the second factor, by whichever way the person has at hand."""

    def get(self, request: HttpRequest) -> HttpResponse:
        method = self._method(request.GET.get("method", ""))
        if method is None:
            return redirect("first-factor")
        return self._ask(method, self._form(method), sent="sent" in request.GET)

    def post(self, request: HttpRequest) -> HttpResponse:
        if "mail" in request.POST:
            return self._mail()
        method = self._method(request.POST.get("method", ""))
        if method is None:
            return redirect("first-factor")
        form = self._form(method, request.POST)
        if form.is_valid():
            try:
                user = services.meet_challenge(
                    mfa_token=self.waiting.mfa_token,
                    method=method,
                    code=form.cleaned_data["code"],
                    at=timezone.now(),
                )
                return self.arrive(user, lambda: HttpResponseRedirect(self.waiting.next_page))
            except services.WrongCode as error:
                form.add_error("code", error.detail)
        return self._ask(method, form, sent=True, status=400)

    def _mail(self) -> HttpResponse:
        try:
            services.request_mailed_code(mfa_token=self.waiting.mfa_token, at=timezone.now())
        except services.NoCodesByMail:
            return redirect("second-step")
        return HttpResponseRedirect(f"{reverse('second-step')}?method=email&sent")

    def _method(self, wanted: str) -> Method | None:
        """Return the way that is wanted, else the best that there is."""
        self.methods = services.challenge_methods(mfa_token=self.waiting.mfa_token, at=timezone.now())
        named = [method for method in self.methods if method == wanted]
        return next(iter([*named, *self.methods]), None)

    @staticmethod
    def _form(method: Method, data: Any = None) -> CodeForm:
        return CodeForm(data, label=WORDS[method][1], digits=method != Method.RECOVERY)

    def _ask(self, method: Method, form: CodeForm, *, sent: bool, status: int = 200) -> HttpResponse:
        return self.page(
            "second_step",
            status=status,
            form=form,
            method=method,
            lead=WORDS[method][0],
            others=[(other, OTHERWISE[other]) for other in self.methods if other != method],
            must_be_sent=method == Method.EMAIL and not sent,
        )


class FirstFactorPage(StepPage):
    """Has an authenticator app set up by who must have one: the picture, and then the recovery codes."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(CodeForm(label=WORDS[Method.TOTP][1]))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request.POST, label=WORDS[Method.TOTP][1])
        if not form.is_valid():
            return self._show(form, status=400)
        try:
            user, codes = services.confirm_first_totp(
                mfa_token=self.waiting.mfa_token, code=form.cleaned_data["code"], at=timezone.now()
            )
        except services.WrongFirstCode as error:
            form.add_error("code", error.detail)
            return self._show(form, status=400)
        except (services.FactorExists, services.NothingToConfirm):
            return redirect("first-factor")
        next_page = self.waiting.next_page
        return self.arrive(
            user, lambda: self.page("recovery_codes", recovery_codes=codes, next_page=next_page)
        )

    def _show(self, form: CodeForm, *, status: int = 200) -> HttpResponse:
        try:
            app = services.enroll_first_totp(mfa_token=self.waiting.mfa_token, at=timezone.now())
        except services.FactorExists:
            return redirect("second-step")
        groups = [app.secret[start : start + 4] for start in range(0, len(app.secret), 4)]
        return self.page("first_factor", status=status, form=form, app=app, secret=" ".join(groups))
