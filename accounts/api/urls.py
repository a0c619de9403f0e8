"""Addresses of accounts."""

from django.urls import path

from accounts.api.api_keys import ApiKeyViewSet
from accounts.api.people import InstructorViewSet, UserViewSet
from accounts.api.recovery import EmailChangeViewSet, RecoveryViewSet
from accounts.api.second_factors import SecondFactorViewSet, SecondStepViewSet
from accounts.api.sessions import AuthViewSet, PasswordGrantViewSet, SessionViewSet

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
    path("instructors", InstructorViewSet.as_view({"get": "list"}), name="instructor-list"),
    path("instructors/me", InstructorViewSet.as_view({"patch": "update_mine"}), name="instructor-me"),
    path("instructors/<uuid:pk>", InstructorViewSet.as_view({"get": "retrieve"}), name="instructor-detail"),
]
