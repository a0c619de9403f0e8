"""Tokens: access tokens as JWT (RFC 7519), refresh tokens as random text that only its bearer knows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from jwt import ExpiredSignatureError, InvalidTokenError
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


@cache
def kid_of(key: str) -> str:
    """Return the name that a token's header gives its key (RFC 7515 §4.1.4); it tells nothing of the key."""
    return hmac.digest(key.encode(), b"kid", hashlib.sha256).hex()[:16]


def _keys() -> list[str]:
    return [settings.JWT_SIGNING_KEY, *settings.JWT_PREVIOUS_KEYS]


def _backend_for(token: str) -> TokenBackend:
    """Return what verifies the token: with one of our keys, which its header may name and nothing else.

    Raises:
        InvalidToken: it names none of them, or is no token.
    """
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (InvalidTokenError, ValueError, RecursionError) as error:
        raise InvalidToken from error
    for key in _keys():
        if kid == kid_of(key):
            # One algorithm, ours: what a token's header says of it is not listened to.
            return TokenBackend("HS256", key, "", settings.JWT_AUDIENCE, settings.JWT_ISSUER)
    raise InvalidToken


def write_access_token(claims: AccessClaims, *, at: float) -> str:
    """Return the signed token for these claims, good for `settings.ACCESS_TOKEN_LIFETIME` from that Unix time on."""
    payload: dict[str, Any] = {
        "token_type": ACCESS,
        "jti": str(uuid7()),
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "iat": int(at),
        "exp": int(at + settings.ACCESS_TOKEN_LIFETIME.total_seconds()),
        "aud": settings.JWT_AUDIENCE,
        "iss": settings.JWT_ISSUER,
    }
    # Not by simplejwt, which writes no header of ours.
    key = settings.JWT_SIGNING_KEY
    return jwt.encode(payload, key, algorithm="HS256", headers={"kid": kid_of(key)})


def read_access_token(token: str) -> AccessClaims:
    """Return what the token says, once its signature, issuer, audience, kind and time are found right.

    Raises:
        TokenExpired: its time is over.
        InvalidToken: anything else is wrong with it.
    """
    try:
        # simplejwt's own annotation wants its Token class; it decodes text.
        payload: dict[str, Any] = _backend_for(token).decode(token)  # type: ignore[arg-type]  # see above
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
    return next(successors_of(refresh_token))


def successors_of(refresh_token: str) -> Iterator[str]:
    """Return what has followed this token: under the key of today, and under each that it has replaced."""
    for signing_key in _keys():
        key = hmac.digest(signing_key.encode(), b"refresh token successors", hashlib.sha256)
        derived = hmac.digest(key, refresh_token.encode(), hashlib.sha256)
        yield base64.urlsafe_b64encode(derived).rstrip(b"=").decode()


def digest_of(refresh_token: str) -> str:
    """Return what is stored of a refresh token. It is random, so a plain hash keeps it (no salt, no stretching)."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()
