"""Addresses of accounts."""

from django.urls import path, register_converter

from accounts.api.api_keys import ApiKeyViewSet
from accounts.api.applications import InstructorApplicationViewSet
from accounts.api.people import UserViewSet
from accounts.api.privacy import ErasureViewSet, ExportViewSet
from accounts.api.recovery import EmailChangeViewSet, RecoveryViewSet
from accounts.api.roles import RoleConverter, RoleViewSet
from accounts.api.second_factors import SecondFactorViewSet, SecondStepViewSet
from accounts.api.sessions import AuthViewSet, PasswordGrantViewSet, SessionViewSet

register_converter(RoleConverter, "role")

urlpatterns = [
    path("auth/register", AuthViewSet.as_view({"post": "register"}), name="auth-register"),
    path("auth/login", AuthViewSet.as_view({"post": "log_in"}), name="auth-login"),
    path("auth/token", PasswordGrantViewSet.as_view({"post": "grant"}), name="auth-token"),
    path("auth/refresh", AuthViewSet.as_view({"post": "refresh"}), name="auth-refresh"),
    path("auth/verify-email", AuthViewSet.as_view({"post": "verify_email"}), name="auth-verify-email"),
    path("auth/logout", AuthViewSet.as_view({"post": "log_out"}), name="auth-logout"),
    path("auth/logout-all", AuthViewSet.as_view({"post": "log_out_everywhere"}), name="auth-logout-all"),
    path(
        "auth/password/change", AuthViewSet.as_view({"post": "change_password"}), name="auth-password-change"
    ),
    path(
        "auth/password/reset", RecoveryViewSet.as_view({"post": "request_reset"}), name="auth-password-reset"
    ),
    path(
        "auth/password/reset/confirm",
        RecoveryViewSet.as_view({"post": "confirm_reset"}),
        name="auth-password-reset-confirm",
    ),
    path(
        "auth/verify-email/resend",
        RecoveryViewSet.as_view({"post": "resend_verification"}),
        name="auth-verify-email-resend",
    ),
    path(
        "auth/email/change", EmailChangeViewSet.as_view({"post": "request_change"}), name="auth-email-change"
    ),
    path(
        "auth/email/change/confirm",
        EmailChangeViewSet.as_view({"post": "confirm_change"}),
        name="auth-email-change-confirm",
    ),
    path("auth/mfa", SecondFactorViewSet.as_view({"get": "show"}), name="mfa"),
    path("auth/mfa/verify", SecondStepViewSet.as_view({"post": "verify"}), name="mfa-verify"),
    path("auth/mfa/mail-code", SecondStepViewSet.as_view({"post": "mail_code"}), name="mfa-mail-code"),
    path("auth/mfa/totp", SecondFactorViewSet.as_view({"post": "begin_app"}), name="mfa-totp"),
    path(
        "auth/mfa/totp/confirm",
        SecondFactorViewSet.as_view({"post": "confirm_app"}),
        name="mfa-totp-confirm",
    ),
    path("auth/mfa/email", SecondFactorViewSet.as_view({"post": "switch_mail_on"}), name="mfa-email"),
    path("auth/mfa/remove", SecondFactorViewSet.as_view({"post": "remove"}), name="mfa-remove"),
    path(
        "auth/mfa/recovery-codes",
        SecondFactorViewSet.as_view({"post": "renew_recovery_codes"}),
        name="mfa-recovery-codes",
    ),
    path("auth/me", AuthViewSet.as_view({"get": "me", "patch": "change_me"}), name="auth-me"),
    path("auth/sessions", SessionViewSet.as_view({"get": "list"}), name="session-list"),
    path("auth/sessions/<uuid:pk>", SessionViewSet.as_view({"delete": "destroy"}), name="session-detail"),
    path("auth/api-keys", ApiKeyViewSet.as_view({"get": "list", "post": "create"}), name="api-key-list"),
    path("auth/api-keys/<uuid:pk>", ApiKeyViewSet.as_view({"delete": "destroy"}), name="api-key-detail"),
    path("users", UserViewSet.as_view({"get": "list"}), name="user-list"),
    path(
        "users/<uuid:pk>",
        UserViewSet.as_view(
            {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}
        ),
        name="user-detail",
    ),
    path("users/<uuid:pk>/reactivate", UserViewSet.as_view({"post": "reactivate"}), name="user-reactivate"),
    path(
        "users/<uuid:pk>/roles/<role:role>",
        RoleViewSet.as_view({"put": "grant", "delete": "revoke"}),
        name="user-role",
    ),
    path(
        "instructors/applications",
        InstructorApplicationViewSet.as_view({"get": "list", "post": "create"}),
        name="instructor-application-list",
    ),
    path(
        "instructors/applications/<uuid:pk>",
        InstructorApplicationViewSet.as_view({"get": "retrieve"}),
        name="instructor-application-detail",
    ),
    path(
        "instructors/applications/<uuid:pk>/approve",
        InstructorApplicationViewSet.as_view({"post": "approve"}),
        name="instructor-application-approve",
    ),
    path(
        "instructors/applications/<uuid:pk>/reject",
        InstructorApplicationViewSet.as_view({"post": "reject"}),
        name="instructor-application-reject",
    ),
    path("me/exports", ExportViewSet.as_view({"get": "list", "post": "create"}), name="export-list"),
    path("me/exports/<uuid:pk>", ExportViewSet.as_view({"get": "retrieve"}), name="export-detail"),
    path("me/exports/<uuid:pk>/download", ExportViewSet.as_view({"get": "download"}), name="export-download"),
    path("exports/<uuid:pk>/content", ExportViewSet.as_view({"get": "content"}), name="export-content"),
    path(
        "me/erasure",
        ErasureViewSet.as_view({"get": "retrieve", "post": "create", "delete": "destroy"}),
        name="erasure",
    ),
]
