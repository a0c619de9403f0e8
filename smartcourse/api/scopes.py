"""What an API key must hold to open an endpoint: the resource's name, and `read` or `write`."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from smartcourse.errors import NotAllowed

CLOSED = "closed"
"""The scope of what no key opens: accounts, sessions and keys themselves."""


class ScopeMissing(NotAllowed):
    """The API key does not open this, whatever its owner may do."""

    message = "This API key does not open this endpoint."


def scope_of(view: Any, method: str) -> str:
    """Return the scope that a key needs for that method of the view; `closed` where none will do.

    What declares no resource (a view of somebody else's, or a forgotten one) is closed.
    """
    resource = getattr(view, "scope", "") or CLOSED
    if resource == CLOSED:
        return CLOSED
    return f"{resource}:{'read' if method.upper() in SAFE_METHODS else 'write'}"


def check_scope(request: Request, view: Any) -> None:
    """Refuse a key that does not hold the scope of the view; whoever comes without a key is not asked.

    Raises:
        ScopeMissing: it does not.
    """
    opens = getattr(request.auth, "opens", None)
    if opens is not None and not opens(wanted := scope_of(view, request.method or "")):
        raise ScopeMissing(scope=wanted)
