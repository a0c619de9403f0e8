"""Tokens in cookies, for browsers: no script reads them, and no other site sends anything by them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from corsheaders.conf import conf as cors
from django.conf import settings
from django.middleware.csrf import get_token, rotate_token
from rest_framework.authentication import CSRFCheck
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.services import SignedInSession
from smartcourse.errors import FieldError, Invalid, NotAllowed

TRANSPORT = "X-Auth-Transport"
COOKIE, BEARER = "cookie", "bearer"


class CsrfFailed(NotAllowed):
    """A request by cookie that may have been made by another site (OWASP: cross-site request forgery)."""

    code = "csrf_failed"
    message = "The CSRF token or the origin of this request is missing or wrong."


class UnknownTransport(Invalid):
    """The header that says how tokens are carried says something else."""

    message = f"{TRANSPORT} is “{COOKIE}” or “{BEARER}”."


def wants_cookies(request: Request) -> bool:
    """Tell how the caller wants its tokens: as it says, else a browser in cookies where settings say so.

    Raises:
        UnknownTransport: it says something that there is not.
    """
    asked = request.headers.get(TRANSPORT)
    if asked is None:
        # Browsers say of what kind each request is (Fetch Metadata); nothing else does.
        return settings.COOKIES_FOR_BROWSERS and "Sec-Fetch-Mode" in request.headers
    if asked not in (COOKIE, BEARER):
        raise UnknownTransport(errors=[FieldError(TRANSPORT, "invalid", UnknownTransport.message)])
    return asked == COOKIE


def check_origin(request: Request) -> None:
    """Refuse to begin a session in a browser for another site, which would sign its visitors in as somebody else.

    Raises:
        CsrfFailed: the page that asks is neither ours nor one that may call us.
    """
    origin = request.headers.get("Origin", "")
    own = f"{request.scheme}://{request.get_host()}"
    known = {own, *settings.CSRF_TRUSTED_ORIGINS, *cors.CORS_ALLOWED_ORIGINS}
    if origin not in known:
        raise CsrfFailed


def enforce_csrf(request: Request) -> None:
    """Check a request that is authenticated by cookie, as Django checks its forms.

    Raises:
        CsrfFailed: it has no token, another's, or comes from an origin that is not trusted.
    """
    check = CSRFCheck(lambda _: None)  # type: ignore[arg-type]  # it answers nothing
    check.process_request(request)
    if check.process_view(request, None, (), {}):  # type: ignore[arg-type]  # there is no view to be exempt
        raise CsrfFailed


def put_tokens(request: Request, response: Response, signed_in: SignedInSession, *, at: datetime) -> None:
    """Give the tokens in cookies, and another CSRF token with them."""
    _set(response, settings.ACCESS_COOKIE_NAME, signed_in.access_token, settings.ACCESS_TOKEN_LIFETIME)
    _set(response, settings.REFRESH_COOKIE_NAME, signed_in.refresh_token, signed_in.ends_at - at)
    response.data["csrf_token"] = new_csrf_token(request)


def new_csrf_token(request: Request) -> str:
    """Return a fresh CSRF token; the middleware puts it into its cookie."""
    django_request: Any = request._request  # noqa: SLF001 - DRF has no other word for it
    rotate_token(django_request)
    return get_token(django_request)


def _set(response: Response, name: str, value: str, lifetime: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max(0, int(lifetime.total_seconds())),
        path="/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def take_tokens_away(request: Request, response: Response) -> None:
    """Have the browser forget its tokens."""
    for name in (settings.ACCESS_COOKIE_NAME, settings.REFRESH_COOKIE_NAME):
        if name in request.COOKIES:
            response.delete_cookie(name, samesite="Strict")
