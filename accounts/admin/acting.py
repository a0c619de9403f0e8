"""Who acts."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import User


def acting(request: HttpRequest) -> User:
    """Return the person at the back office."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the site lets nobody else in; this tells the type checker
    return user
