"""Where a request comes from."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

# Some balancers append the port, which every connection has another of.
WITH_PORT = re.compile(r"\[(?P<six>[^]]+)](:\d+)?|(?P<four>[\d.]+):\d+")


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


def client_network(request: HttpRequest) -> str:
    """Return what limits count as one caller, where nobody is signed in."""
    return network_of(client_address(request))


def network_of(address: str) -> str:
    """Return the address as limits know it: of IPv6 the network of 64 bits, which is one customer's (RFC 6177).

    What is no address is all one caller: a word that a client could choose would be a limit that it could leave.
    """
    if match := WITH_PORT.fullmatch(address):
        address = match["six"] or match["four"]
    try:
        number = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(number, IPv6Address) and number.ipv4_mapped is None:
        return str(ip_network((number.packed[:8] + bytes(8), 64)))
    return str(getattr(number, "ipv4_mapped", None) or number)
