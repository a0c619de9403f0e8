"""Bearer tokens: verified in this process, and held against the session's row on every request."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from accounts.models import Session, User
from accounts.services.sessions import InactiveUser, TokenRevoked
from accounts.services.tokens import InvalidToken, read_access_token


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>` (RFC 6750); `request.auth` is the session."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise InvalidToken
        try:
            claims = read_access_token(words[1].decode("ascii"))
        except UnicodeDecodeError as error:
            raise InvalidToken from error
        # One look tells whether the session stands and who it is; so an ended session ends with the next request.
        session = (
            Session.objects.select_related("user").filter(pk=claims.session_id, user=claims.user_id).first()
        )
        if session is None or session.revoked_at is not None or session.expires_at <= timezone.now():
            raise TokenRevoked
        if not session.user.is_active:
            raise InactiveUser
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """How the schema describes it."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
