"""Registering, signing in and staying signed in, over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api import serializers as shapes
from accounts.api.cookies import (
    BEARER,
    COOKIE,
    TRANSPORT,
    CsrfFailed,
    check_origin,
    enforce_csrf,
    put_tokens,
    take_tokens_away,
    wants_cookies,
)
from accounts.api.devices import device_of, remember_device
from accounts.api.strangers import CREDENTIALS, OpenToOldTokens
from accounts.models import Session, User
from accounts.services.sessions import InactiveUser
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.parsers import FormParser
from smartcourse.api.permissions import Anybody, SignedIn
from smartcourse.api.scopes import CLOSED
from smartcourse.api.viewsets import ContextViewSet

SIGNED_IN = PolymorphicProxySerializer(
    component_name="SignedInOneWayOrTheOther",
    serializers=[shapes.SignedInSerializer, shapes.SignedInByCookieSerializer],
    resource_type_field_name=None,
)
LOGGED_IN = PolymorphicProxySerializer(
    component_name="SignedInOrAskedForMore",
    serializers=[
        shapes.SignedInSerializer,
        shapes.SignedInByCookieSerializer,
        shapes.MfaChallengeSerializer,
    ],
    resource_type_field_name=None,
)
AUTH_TRANSPORT = OpenApiParameter(
    TRANSPORT,
    location=OpenApiParameter.HEADER,
    enum=[BEARER, COOKIE],
    description="How the tokens are to be carried. Unsaid: in the body; for browsers, where the installation says so, "
    "in cookies.",
)

SAME_AGAIN = "it leads to the same state however often it is sent"


def answer_signed_in(
    view: ContextViewSet, request: Request, signed_in: services.SignedInSession, *, in_cookies: bool
) -> Response:
    """Answer with the tokens, in the body or in cookies."""
    shape = shapes.SignedInByCookieSerializer if in_cookies else shapes.SignedInSerializer
    response = Response(shape(signed_in, context=view.get_serializer_context()).data)
    if in_cookies:
        put_tokens(request, response, signed_in, at=timezone.now())
    return unkept(response)


def unkept(response: Response) -> Response:
    """Have the answer kept by nobody on the way: it holds tokens (RFC 6749 §5.1)."""
    response["Cache-Control"] = "no-store"
    return response


class AuthViewSet(OpenToOldTokens, ContextViewSet):
    """Accounts and their tokens."""

    scope = CLOSED
    queryset = User.objects.all()
    serializers: ClassVar[dict[str, Any]] = {
        "register": shapes.UserSerializer,
        # For the schema; which of the shapes it is, the action decides.
        "log_in": LOGGED_IN,
        "grant": shapes.SignedInSerializer,
        "refresh": SIGNED_IN,
        "verify_email": shapes.UserSerializer,
        "me": shapes.AccountSerializer,
        "change_me": shapes.AccountSerializer,
    }
    inputs: ClassVar[dict[str, Any]] = {
        "register": shapes.RegistrationInput,
        "log_in": shapes.LoginInput,
        "grant": shapes.PasswordGrantInput,
        "refresh": shapes.RefreshInput,
        "verify_email": shapes.VerificationInput,
        "change_me": shapes.ProfileInput,
        "change_password": shapes.PasswordChangeInput,
    }
    permissions: ClassVar[dict[str, Any]] = {
        "register": [Anybody],
        "log_in": [Anybody],
        "grant": [Anybody],
        "refresh": [Anybody],
        "verify_email": [Anybody],
        "log_out": [SignedIn],
        "log_out_everywhere": [SignedIn],
        "me": [SignedIn],
        "change_me": [SignedIn],
        "change_password": [SignedIn],
    }
    raises: ClassVar[dict[str, Any]] = {
        "register": [services.EmailTaken, services.WeakPassword],
        "log_in": [
            services.InvalidCredentials,
            InactiveUser,
            CsrfFailed,
            services.LockedOut,
            services.TooManyAttempts,
        ],
        "grant": [
            services.InvalidCredentials,
            InactiveUser,
            services.MfaRequired,
            services.LockedOut,
            services.TooManyAttempts,
        ],
        "refresh": [services.InvalidCredentials, services.TokenRevoked, InactiveUser, CsrfFailed],
        "verify_email": [services.InvalidVerification],
        "change_me": [shapes.NameUnprintable, shapes.NoSuchPhone, shapes.NobodyBornThen],
        "change_password": [services.WrongPassword, services.WeakPassword, services.LockedOut],
    }
    without_second_factor: ClassVar[frozenset[str]] = frozenset({"me", "log_out", "log_out_everywhere"})
    statuses: ClassVar[dict[str, int]] = {"register": 201}
    keyless: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("log_in", "grant", "refresh", "verify_email", "change_password"), CREDENTIALS),
        **dict.fromkeys(("log_out", "log_out_everywhere"), SAME_AGAIN),
    }
    # RFC 6749 §5.1 says what a token endpoint answers.
    bare: ClassVar[frozenset[str]] = frozenset({"grant"})
    throttle_scopes: ClassVar[dict[str, str]] = dict.fromkeys(
        ("register", "log_in", "grant", "refresh", "verify_email", "change_password"), "auth"
    )

    def register(self, request: Request) -> Response:
        """Make an account, as a student."""
        return self.respond(services.register_user(**self.validated(request), at=timezone.now()))

    @extend_schema(parameters=[AUTH_TRANSPORT])
    def log_in(self, request: Request) -> Response:
        """Begin a session on this device; who has a second factor is asked for it first (`POST /auth/mfa/verify`)."""
        words = self.validated(request)
        # Before there is a session that nobody gets.
        if in_cookies := wants_cookies(request):
            check_origin(request)
        device = device_of(request)
        begun = services.begin_log_in(**words, device=device, at=timezone.now())
        if isinstance(begun, services.Challenge):
            return unkept(Response(shapes.MfaChallengeSerializer(begun).data))
        response = answer_signed_in(self, request, begun, in_cookies=in_cookies)
        return remember_device(response, email=words["email"], device=device)

    def grant(self, request: Request) -> Response:
        """The same by OAuth 2.0's password form, for tools that know nothing else; a second factor is none of them."""
        form = self.validated(request)
        signed_in = services.log_in(
            email=form["username"], password=form["password"], device=device_of(request), at=timezone.now()
        )
        # Without the cookie of a known device: tools keep none, and a form of another site, which may send a browser
        # here, would take from it the one that it has.
        return answer_signed_in(self, request, signed_in, in_cookies=False)

    @extend_schema(parameters=[AUTH_TRANSPORT])
    def refresh(self, request: Request) -> Response:
        """Trade a refresh token, which is good for one use, for new tokens; in a browser, that of its cookie."""
        token, in_cookies = self.validated(request).get("refresh_token"), wants_cookies(request)
        if token is None:
            token, in_cookies = request.COOKIES.get(settings.REFRESH_COOKIE_NAME), True
            if not token:
                raise services.InvalidCredentials("A refresh token is needed.")
            enforce_csrf(request)
        signed_in = services.refresh_session(refresh_token=token, at=timezone.now())
        return answer_signed_in(self, request, signed_in, in_cookies=in_cookies)

    def verify_email(self, request: Request) -> Response:
        """Prove that an address is one's own, by the token that was mailed there."""
        return self.respond(services.verify_email(**self.validated(request), at=timezone.now()))

    def log_out(self, request: Request) -> Response:
        """End the session that this request belongs to."""
        if isinstance(request.auth, Session):
            services.end_session(session_id=request.auth.pk, at=timezone.now())
        response = self.respond()
        take_tokens_away(request, response)
        return response

    def log_out_everywhere(self, request: Request) -> Response:
        """End all of one's sessions, those of the admin site as well."""
        services.log_out_everywhere(user_id=self.caller.pk, at=timezone.now())
        response = self.respond()
        take_tokens_away(request, response)
        return response

    def me(self, request: Request) -> Response:
        """Oneself."""
        return self.respond(request.user)

    def change_me(self, request: Request) -> Response:
        """Change what one has said of oneself; what is left out stays."""
        changes = self.validated(request)
        return self.respond(
            services.update_profile(user_id=self.caller.pk, **changes) if changes else request.user
        )

    def change_password(self, request: Request) -> Response:
        """Change the password; every other session ends."""
        words = self.validated(request)
        services.change_password(
            user_id=self.caller.pk,
            current=words["current_password"],
            new=words["new_password"],
            session_id=request.auth.pk if isinstance(request.auth, Session) else None,
            at=timezone.now(),
        )
        return self.respond()


class PasswordGrantViewSet(AuthViewSet):
    """The one endpoint that takes a form."""

    parser_classes = (FormParser,)


class SessionViewSet(ContextViewSet):
    """The devices that one is signed in on."""

    scope = CLOSED
    queryset = Session.objects.all()
    pagination_class = CursorPagination
    serializers: ClassVar[dict[str, Any]] = {"list": shapes.SessionSerializer}
    permissions: ClassVar[dict[str, Any]] = {"list": [SignedIn], "destroy": [SignedIn]}
    without_second_factor: ClassVar[frozenset[str]] = frozenset({"list"})

    def get_queryset(self) -> Any:
        own: Any = super().get_queryset()
        return own.live(timezone.now())

    def destroy(self, request: Request, **_path: Any) -> Response:
        """End the session on that device."""
        services.end_session(session_id=self.get_object().pk, at=timezone.now())
        return self.respond()
