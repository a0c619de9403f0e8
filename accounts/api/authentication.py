"""Access tokens, by header or by cookie: verified in this process, and held against the session on every request."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from accounts import services
from accounts.api.cookies import enforce_csrf
from accounts.models import Session, User
from accounts.services.sessions import InactiveUser, TokenRevoked
from accounts.services.tokens import InvalidToken, read_access_token
from smartcourse.errors import DomainError


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>` (RFC 6750); `request.auth` is the session."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise InvalidToken
        try:
            return session_of(words[1].decode("ascii"))
        except UnicodeDecodeError as error:
            raise InvalidToken from error

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class CookieAuthentication(BaseAuthentication):
    """The same token in a cookie, as browsers have it; what changes something also needs a CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        token = request.COOKIES.get(settings.ACCESS_COOKIE_NAME)
        if not token:
            return None
        try:
            signed_in = session_of(token)
        except DomainError as error:
            # No page can take back what no script can read: what is open to all stays open to a browser that kept it.
            setattr(request, "refused_cookie", error)  # noqa: B010 - the base viewset asks for it
            return None
        enforce_csrf(request)
        return signed_in


def session_of(token: str) -> tuple[User, Session]:
    """Return whose access token it is, and of which session.

    Raises:
        InvalidToken: it is none of ours.
        TokenExpired: its time is over.
        TokenRevoked: the session has ended.
        InactiveUser: the account is deactivated.
    """
    claims = read_access_token(token)
    session = services.session_behind(session_id=claims.session_id, user_id=claims.user_id, at=timezone.now())
    if session is None:
        raise TokenRevoked
    if not session.user.is_active:
        raise InactiveUser
    return session.user, session


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """How the schema describes it."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class CookieScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """How the schema describes it."""

    target_class = CookieAuthentication
    name = "cookie"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.ACCESS_COOKIE_NAME,
            "description": "For browsers. Writes also need the CSRF token, in the header `X-CSRFToken`.",
        }
