"""Tokens: access tokens as JWT (RFC 7519), refresh tokens as random text that only its bearer knows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from jwt import ExpiredSignatureError
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from smartcourse.db.identifiers import uuid7
from smartcourse.errors import NotAuthenticated

ACCESS = "access"


class InvalidToken(NotAuthenticated):
    """The token is not one of ours, or is of another kind."""

    code = "invalid_token"
    message = "The access token is not valid."


class TokenExpired(NotAuthenticated):
    """The token was one of ours; its time is over."""

    code = "token_expired"
    message = "The access token has expired."


@dataclass(frozen=True)
class AccessClaims:
    """What an access token says: who, and from which session. Roles are read from the database, never from here."""

    user_id: UUID
    session_id: UUID


def _backend() -> TokenBackend:
    # One algorithm and one key, both ours: what a token's header says of either is not listened to.
    return TokenBackend("HS256", settings.JWT_SIGNING_KEY, "", settings.JWT_AUDIENCE, settings.JWT_ISSUER)


def write_access_token(claims: AccessClaims, *, at: float) -> str:
    """Return the signed token for these claims, good for `settings.ACCESS_TOKEN_LIFETIME` from that Unix time on."""
    payload: dict[str, Any] = {
        "token_type": ACCESS,
        "jti": str(uuid7()),
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "iat": int(at),
        "exp": int(at + settings.ACCESS_TOKEN_LIFETIME.total_seconds()),
    }
    return str(_backend().encode(payload))


def read_access_token(token: str) -> AccessClaims:
    """Return what the token says, once its signature, issuer, audience, kind and time are found right.

    Raises:
        TokenExpired: its time is over.
        InvalidToken: anything else is wrong with it.
    """
    try:
        # simplejwt's own annotation wants its Token class; it decodes text.
        payload: dict[str, Any] = _backend().decode(token)  # type: ignore[arg-type]  # see above
    except (TokenBackendExpiredToken, ExpiredSignatureError) as error:
        raise TokenExpired from error
    except (TokenBackendError, ValueError, UnicodeError) as error:
        raise InvalidToken from error
    try:
        if payload["token_type"] != ACCESS or "exp" not in payload:
            raise InvalidToken
        return AccessClaims(UUID(payload["sub"]), UUID(payload["sid"]))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InvalidToken from error


def new_refresh_token() -> str:
    """Return a refresh token of 256 random bits."""
    return secrets.token_urlsafe(32)


def successor_of(refresh_token: str) -> str:
    """Return the token that follows this one, derived by HMAC (RFC 2104): to be repeated, it need not be stored."""
    key = hmac.digest(settings.JWT_SIGNING_KEY.encode(), b"refresh token successors", hashlib.sha256)
    return (
        base64.urlsafe_b64encode(hmac.digest(key, refresh_token.encode(), hashlib.sha256))
        .rstrip(b"=")
        .decode()
    )


def digest_of(refresh_token: str) -> str:
    """Return what is stored of a refresh token. It is random, so a plain hash keeps it (no salt, no stretching)."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()
