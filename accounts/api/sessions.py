"""Registering, signing in and staying signed in, over HTTP."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api import serializers as shapes
from accounts.models import Session, User
from accounts.services.sessions import InactiveUser
from smartcourse.api.client import client_address
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.parsers import FormParser
from smartcourse.api.permissions import Anybody, SignedIn
from smartcourse.api.viewsets import ContextViewSet

# A replay would hand out what is to be had once, and the transaction of a key would take back what is counted when a
# refusal is raised.
CREDENTIALS = (
    "it looks at credentials: its answer is not kept, and what it counts stands also when it refuses"
)
SAME_AGAIN = "it leads to the same state however often it is sent"


class AuthViewSet(ContextViewSet):
    """Accounts and their tokens."""

    queryset = User.objects.all()
    serializers: ClassVar[dict[str, Any]] = {
        "register": shapes.UserSerializer,
        "log_in": shapes.SignedInSerializer,
        "grant": shapes.SignedInSerializer,
        "refresh": shapes.SignedInSerializer,
        "verify_email": shapes.UserSerializer,
        "me": shapes.UserSerializer,
        "change_me": shapes.UserSerializer,
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
        "log_in": [services.InvalidCredentials, InactiveUser],
        "grant": [services.InvalidCredentials, InactiveUser],
        "refresh": [services.InvalidCredentials, services.TokenRevoked, InactiveUser],
        "verify_email": [services.InvalidVerification],
        "change_password": [services.WrongPassword, services.WeakPassword],
    }
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

    def get_authenticators(self) -> list[Any]:
        # Whoever logs in anew may well send the old, expired token along.
        handlers = getattr(self, "action_map", None) or {}
        action = handlers.get(self.request.method.lower()) if self.request and self.request.method else None
        return [] if Anybody in self.permissions.get(action or "", []) else super().get_authenticators()

    def register(self, request: Request) -> Response:
        """Make an account, as a student."""
        return self.respond(services.register_user(**self.validated(request), at=timezone.now()))

    def log_in(self, request: Request) -> Response:
        """Begin a session on this device."""
        return self._log_in(request, **self.validated(request))

    def grant(self, request: Request) -> Response:
        """The same by OAuth 2.0's password form, for tools that know nothing else."""
        form = self.validated(request)
        return self._log_in(request, email=form["username"], password=form["password"])

    def _log_in(self, request: Request, *, email: str, password: str) -> Response:
        # Servers refuse a NUL in a header, PostgreSQL in a text; not every server of either kind is known here.
        user_agent = request.headers.get("User-Agent", "").replace("\x00", "")
        device = services.Device(user_agent, address_of(request))
        signed_in = services.log_in(email=email, password=password, device=device, at=timezone.now())
        return self._secret(self.respond(signed_in))

    def refresh(self, request: Request) -> Response:
        """Trade a refresh token, which is good for one use, for new tokens."""
        return self._secret(
            self.respond(services.refresh_session(**self.validated(request), at=timezone.now()))
        )

    def verify_email(self, request: Request) -> Response:
        """Prove that an address is one's own, by the token that was mailed there."""
        return self.respond(services.verify_email(**self.validated(request), at=timezone.now()))

    def log_out(self, request: Request) -> Response:
        """End the session that this request belongs to."""
        if isinstance(request.auth, Session):
            services.end_session(session_id=request.auth.pk, at=timezone.now())
        return self.respond()

    def log_out_everywhere(self, request: Request) -> Response:
        """End all of one's sessions."""
        services.end_all_sessions(user_id=self.caller.pk, at=timezone.now())
        return self.respond()

    def me(self, request: Request) -> Response:
        """Oneself."""
        return self.respond(request.user)

    def change_me(self, request: Request) -> Response:
        """Change what one is called."""
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

    @staticmethod
    def _secret(response: Response) -> Response:
        # RFC 6749 §5.1: what holds tokens is not to be kept on the way.
        response["Cache-Control"] = "no-store"
        return response


class PasswordGrantViewSet(AuthViewSet):
    """The one endpoint that takes a form."""

    parser_classes = (FormParser,)


class SessionViewSet(ContextViewSet):
    """The devices that one is signed in on."""

    queryset = Session.objects.all()
    pagination_class = CursorPagination
    serializers: ClassVar[dict[str, Any]] = {"list": shapes.SessionSerializer}
    permissions: ClassVar[dict[str, Any]] = {"list": [SignedIn], "destroy": [SignedIn]}

    def get_queryset(self) -> Any:
        own: Any = super().get_queryset()
        return own.live(timezone.now())

    def destroy(self, request: Request, **_path: Any) -> Response:
        """End the session on that device."""
        services.end_session(session_id=self.get_object().pk, at=timezone.now())
        return self.respond()


def address_of(request: Request) -> str | None:
    """Return the client's address, without its zone, where it is one: a proxy may say anything, a socket nothing."""
    try:
        return str(ip_address(client_address(request).partition("%")[0]))
    except ValueError:
        return None
