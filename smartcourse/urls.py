"""Every address of the product."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from accounts.api.devices import remembering
from accounts.api.pages import ConfirmEmailPage, ForgottenPasswordPage, NewPasswordPage, VerifyEmailPage
from accounts.api.second_step import FirstFactorPage, SecondStepPage
from smartcourse.api import problems
from smartcourse.api.renderers import DocumentationRenderer
from smartcourse.api.schema_view import SchemaView
from smartcourse.api.throttling import throttled_page
from smartcourse.observability.health import HealthView, ReadyView
from smartcourse.portal import pages

api: list[URLPattern | URLResolver] = [
    path("health", HealthView.as_view(), name="health"),
    path("ready", ReadyView.as_view(), name="ready"),
    path("schema", SchemaView.as_view(), name="schema"),
    path(
        "docs",
        SpectacularSwaggerSplitView.as_view(
            url_name="schema", template_name="pages/docs.html", renderer_classes=[DocumentationRenderer]
        ),
        name="docs",
    ),
    path("", include("accounts.api.urls")),
    path("", include("courses.api.urls")),
    path("", include("enrollments.api.urls")),
    path("", include("progress.api.urls")),
    path("", include("certificates.api.urls")),
    path("", include("notifications.api.urls")),
    path("", include("analytics.api.urls")),
    path("", include("smartcourse.webhooks.api.urls")),
    path("", include("smartcourse.workflows.api")),
    path("", include("smartcourse.portal.api")),
]

urlpatterns = [
    path("api/v1/", include(api)),
    # Guessing passwords is limited here as it is at the API; the site itself stands beside the limits, and knows none.
    path("admin/login/", throttled_page("auth")(remembering(admin.site.login))),
    path("admin/second-step/", throttled_page("auth")(SecondStepPage.as_view()), name="second-step"),
    path("admin/first-factor/", throttled_page("auth")(FirstFactorPage.as_view()), name="first-factor"),
    path("admin/", admin.site.urls),
    path("verify/", include("certificates.api.pages")),
    path("verify-email", throttled_page("auth")(VerifyEmailPage.as_view()), name="verify-email"),
    path("confirm-email", throttled_page("auth")(ConfirmEmailPage.as_view()), name="confirm-email"),
    path(
        "forgot-password", throttled_page("auth")(ForgottenPasswordPage.as_view()), name="forgotten-password"
    ),
    path("reset-password", throttled_page("auth")(NewPasswordPage.as_view()), name="new-password"),
    path("", throttled_page("default")(pages.home), name="home"),
]

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.not_found
handler500 = problems.server_error
