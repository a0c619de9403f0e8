"""Where a request comes from."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def client_address(request: HttpRequest | Request) -> str:
    """Return the caller's address: the connection's own, or what the nearest trusted proxy said of it.

    `X-Forwarded-For` grows to the right, so with N trusted proxies the Nth entry from the right is the last one that
    no client can have written; with none (the default) the header is not looked at.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "unknown")
    proxies: int = settings.TRUSTED_PROXY_COUNT
    if not proxies:
        return peer
    forwarded = [
        part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()
    ]
    return forwarded[-proxies] if len(forwarded) >= proxies else peer
