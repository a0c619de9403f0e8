"""The cookie by which a device is known again when somebody signs in on it; it opens nothing."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from smartcourse.api.client import client_address


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


def remember_device(response: Response, *, email: str, device: services.Device) -> Response:
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
