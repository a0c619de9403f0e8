"""Second factors over HTTP: the second step of a log-in, and one's own factors."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api import serializers as shapes
from accounts.api.cookies import CsrfFailed, check_origin, wants_cookies
from accounts.api.devices import device_of, remember_device
from accounts.api.sessions import AUTH_TRANSPORT, SIGNED_IN, answer_signed_in, unkept
from accounts.api.strangers import CREDENTIALS, OpenToOldTokens
from accounts.models import Method, SecondFactor, Session, User
from smartcourse.api.permissions import Anybody, SignedIn
from smartcourse.api.scopes import CLOSED
from smartcourse.api.viewsets import ContextViewSet

CODE_ON_ITS_WAY = {"detail": "A mail with a code is on its way to you."}
MAILS = "each asks for another mail, and their number is limited"


class SecondStepViewSet(OpenToOldTokens, ContextViewSet):
    """From a right password to a session."""

    scope = CLOSED
    queryset = User.objects.all()
    serializers: ClassVar[dict[str, Any]] = {"verify": SIGNED_IN, "mail_code": shapes.MailOnItsWaySerializer}
    inputs: ClassVar[dict[str, Any]] = {"verify": shapes.MfaCodeInput, "mail_code": shapes.MfaTokenInput}
    permissions: ClassVar[dict[str, Any]] = {"verify": [Anybody], "mail_code": [Anybody]}
    raises: ClassVar[dict[str, Any]] = {
        "verify": [
            services.InvalidMfaToken,
            services.WrongCode,
            services.LockedOut,
            services.MfaDisabled,
            CsrfFailed,
        ],
        "mail_code": [
            services.InvalidMfaToken,
            services.NoCodesByMail,
            services.TooManyMailedCodes,
            services.MfaDisabled,
        ],
    }
    statuses: ClassVar[dict[str, int]] = {"mail_code": 202}
    keyless: ClassVar[dict[str, str]] = {"verify": CREDENTIALS, "mail_code": MAILS}
    throttle_scopes: ClassVar[dict[str, str]] = dict.fromkeys(inputs, "auth")

    @extend_schema(parameters=[AUTH_TRANSPORT])
    def verify(self, request: Request) -> Response:
        """Begin the session that the password was right for, by a code; it answers like a log-in."""
        words = self.validated(request)
        if in_cookies := wants_cookies(request):
            check_origin(request)
        device = device_of(request)
        words["method"] = Method(words["method"])
        signed_in = services.complete_log_in(**words, device=device, at=timezone.now())
        response = answer_signed_in(self, request, signed_in, in_cookies=in_cookies)
        return remember_device(response, email=signed_in.user.email, device=device)

    def mail_code(self, request: Request) -> Response:
        """Have a code mailed, good for ten minutes; one that was mailed before does not work any more."""
        services.request_mailed_code(**self.validated(request), at=timezone.now())
        return self.respond(CODE_ON_ITS_WAY)


class SecondFactorViewSet(ContextViewSet):
    """One's own second factors; what changes them asks for the password."""

    scope = CLOSED
    queryset = SecondFactor.objects.all()
    serializers: ClassVar[dict[str, Any]] = {
        "show": shapes.SecondFactorsSerializer,
        "begin_app": shapes.NewAppSerializer,
        "confirm_app": shapes.NewRecoveryCodesSerializer,
        "switch_mail_on": shapes.SecondFactorsSerializer,
        "renew_recovery_codes": shapes.NewRecoveryCodesSerializer,
    }
    inputs: ClassVar[dict[str, Any]] = {
        "begin_app": shapes.PresentPasswordInput,
        "confirm_app": shapes.FirstCodeInput,
        "switch_mail_on": shapes.PresentPasswordInput,
        "remove": shapes.FactorRemovalInput,
        "renew_recovery_codes": shapes.PresentPasswordInput,
    }
    permissions: ClassVar[dict[str, Any]] = {action: [SignedIn] for action in ("show", *inputs)}
    without_second_factor: ClassVar[frozenset[str]] = frozenset(
        {"show", "begin_app", "confirm_app", "switch_mail_on"}
    )
    raises: ClassVar[dict[str, Any]] = {
        "show": [services.MfaDisabled],
        "begin_app": [
            services.MfaDisabled,
            services.WrongPassword,
            services.LockedOut,
            services.FactorExists,
        ],
        "confirm_app": [
            services.MfaDisabled,
            services.NothingToConfirm,
            services.WrongFirstCode,
            services.LockedOut,
        ],
        "switch_mail_on": [
            services.MfaDisabled,
            services.WrongPassword,
            services.LockedOut,
            services.UnverifiedAddress,
            services.FactorExists,
        ],
        "remove": [
            services.MfaDisabled,
            services.WrongPassword,
            services.LockedOut,
            services.NoSuchFactor,
        ],
        "renew_recovery_codes": [
            services.MfaDisabled,
            services.WrongPassword,
            services.LockedOut,
            services.NoSecondFactor,
        ],
    }
    keyless: ClassVar[dict[str, str]] = dict.fromkeys(inputs, CREDENTIALS)
    throttle_scopes: ClassVar[dict[str, str]] = dict.fromkeys(inputs, "auth")

    def show(self, request: Request) -> Response:
        """One's second factors, and how many recovery codes are left."""
        return self._unkept(services.factors_of(user=self.caller))

    def begin_app(self, request: Request) -> Response:
        """Begin to set an authenticator app up: this answer, and no later one, holds its secret."""
        words = self.validated(request)
        return self._unkept(services.enroll_totp(user_id=self.caller.pk, **words, at=timezone.now()))

    def confirm_app(self, request: Request) -> Response:
        """Show by a first code that the app works; the answer, and no later one, holds the recovery codes."""
        codes = services.confirm_totp(
            user_id=self.caller.pk,
            **self.validated(request),
            session_id=self._session_id(request),
            at=timezone.now(),
        )
        return self._unkept({"recovery_codes": codes})

    def switch_mail_on(self, request: Request) -> Response:
        """Take codes by mail as a second factor; other sessions end."""
        return self._unkept(
            services.switch_mailed_codes_on(
                user_id=self.caller.pk,
                **self.validated(request),
                session_id=self._session_id(request),
                at=timezone.now(),
            )
        )

    def remove(self, request: Request) -> Response:
        """Take a second factor away, and with the last one the recovery codes."""
        words = self.validated(request)
        words["method"] = Method(words["method"])
        services.remove_factor(user_id=self.caller.pk, **words, at=timezone.now())
        return self.respond()

    def renew_recovery_codes(self, request: Request) -> Response:
        """Replace one's recovery codes; the answer, and no later one, holds them."""
        words = self.validated(request)
        codes = services.renew_recovery_codes(user_id=self.caller.pk, **words, at=timezone.now())
        return self._unkept({"recovery_codes": codes})

    @staticmethod
    def _session_id(request: Request) -> Any:
        return request.auth.pk if isinstance(request.auth, Session) else None

    def _unkept(self, subject: Any) -> Response:
        return unkept(self.respond(subject))
