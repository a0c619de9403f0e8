"""Getting back in and changing the address, over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api import serializers as shapes
from accounts.api.strangers import CREDENTIALS, OpenToOldTokens
from accounts.models import User
from smartcourse.api.permissions import Anybody, SignedIn
from smartcourse.api.scopes import CLOSED
from smartcourse.api.viewsets import ContextViewSet

# What an account might be told from is said of every address alike.
RESET_ON_ITS_WAY = {"detail": "If this address has an account, a mail with a link is on its way to it."}
VERIFICATION_ON_ITS_WAY = {"detail": "If this address waits to be confirmed, a mail is on its way to it."}
CHANGE_ON_ITS_WAY = {"detail": "If the new address can be used, a mail with a link is on its way to it."}
# Kept answers would be looked up by key, for addresses that were sent before and those that were not.
SAME_FOR_ALL = "it writes down one request whoever asks, and its answer is the same for everybody"


class RecoveryViewSet(OpenToOldTokens, ContextViewSet):
    """A new password by mail, and the verification mail once more."""

    scope = CLOSED
    queryset = User.objects.all()
    serializers: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("request_reset", "resend_verification"), shapes.MailOnItsWaySerializer
    )
    inputs: ClassVar[dict[str, Any]] = {
        "request_reset": shapes.AddressInput,
        "confirm_reset": shapes.PasswordResetInput,
        "resend_verification": shapes.AddressInput,
    }
    permissions: ClassVar[dict[str, Any]] = {
        "request_reset": [Anybody],
        "confirm_reset": [Anybody],
        "resend_verification": [Anybody],
    }
    raises: ClassVar[dict[str, Any]] = {"confirm_reset": [services.InvalidReset, services.WeakPassword]}
    statuses: ClassVar[dict[str, int]] = dict.fromkeys(("request_reset", "resend_verification"), 202)
    keyless: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("request_reset", "resend_verification"), SAME_FOR_ALL),
        "confirm_reset": CREDENTIALS,
    }
    throttle_scopes: ClassVar[dict[str, str]] = dict.fromkeys(inputs, "auth")

    def request_reset(self, request: Request) -> Response:
        """Ask for a link to a new password; the answer is the same whether or not the address has an account."""
        services.request_password_reset(**self.validated(request), at=timezone.now())
        return self.respond(RESET_ON_ITS_WAY)

    def confirm_reset(self, request: Request) -> Response:
        """Set a password by the token that was mailed, which is good once; every session and API key ends."""
        services.reset_password(**self.validated(request), at=timezone.now())
        return self.respond()

    def resend_verification(self, request: Request) -> Response:
        """Ask for the verification mail once more; the answer is the same for every address."""
        services.request_verification(**self.validated(request), at=timezone.now())
        return self.respond(VERIFICATION_ON_ITS_WAY)


class EmailChangeViewSet(OpenToOldTokens, ContextViewSet):
    """Another address for one's account."""

    scope = CLOSED
    queryset = User.objects.all()
    serializers: ClassVar[dict[str, Any]] = {
        "request_change": shapes.MailOnItsWaySerializer,
        "confirm_change": shapes.UserSerializer,
    }
    inputs: ClassVar[dict[str, Any]] = {
        "request_change": shapes.EmailChangeInput,
        "confirm_change": shapes.VerificationInput,
    }
    permissions: ClassVar[dict[str, Any]] = {"request_change": [SignedIn], "confirm_change": [Anybody]}
    raises: ClassVar[dict[str, Any]] = {
        "request_change": [
            services.WrongPassword,
            services.SameEmail,
            services.LockedOut,
            services.TooManyEmailChanges,
        ],
        "confirm_change": [services.InvalidEmailChange, services.EmailTaken],
    }
    statuses: ClassVar[dict[str, int]] = {"request_change": 202}
    keyless: ClassVar[dict[str, str]] = dict.fromkeys(inputs, CREDENTIALS)
    throttle_scopes: ClassVar[dict[str, str]] = dict.fromkeys(inputs, "auth")

    def request_change(self, request: Request) -> Response:
        """Ask for another address: a link is mailed there, and a notice to the present one.

        The answer is the same whether or not somebody has the new address.
        """
        services.request_email_change(user_id=self.caller.pk, **self.validated(request), at=timezone.now())
        return self.respond(CHANGE_ON_ITS_WAY)

    def confirm_change(self, request: Request) -> Response:
        """Take the new address by the token that was mailed there; all sessions end, for it is another log-in."""
        return self.respond(services.confirm_email_change(**self.validated(request), at=timezone.now()))
