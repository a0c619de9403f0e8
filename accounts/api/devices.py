"""The cookie by which a device is known again when somebody signs in on it; it opens nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts import services
from smartcourse.api.client import client_address

Page = Callable[..., HttpResponseBase]
Answer = TypeVar("Answer", bound=HttpResponseBase)


def device_of(request: HttpRequest | Request) -> services.Device:
    """Return from where somebody signs in."""
    # Servers refuse a NUL in a header, PostgreSQL in a text; not every server of either kind is known here.
    user_agent = request.headers.get("User-Agent", "").replace("\x00", "")
    return services.Device(
        user_agent, address_of(request), proof=request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    )


def address_of(request: HttpRequest | Request) -> str | None:
    """Return the client's address, without its zone, where it is one: a proxy may say anything, a socket nothing."""
    try:
        return str(ip_address(client_address(request).partition("%")[0]))
    except ValueError:
        return None


def remembering(page: Page) -> Page:
    """Have a log-in page of Django's give the device its cookie, once somebody has signed in by it."""

    @wraps(page)
    def remembered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = page(request, *args, **kwargs)
        user: Any = request.user
        if request.method == "POST" and response.status_code == 302 and user.is_authenticated:
            return remember_device(response, email=user.email, device=device_of(request))
        return response

    return remembered


def remember_device(response: Answer, *, email: str, device: services.Device) -> Answer:
    """Give the device what it is known by from now on, so that no neighbour's failures keep it out."""
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        services.device_proof(email=email, former=device.proof),
        max_age=settings.DEVICE_COOKIE_LIFETIME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
