"""What a browser's session at the back office holds of a second factor: that one is waited for, or was given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import login
from django.http import HttpRequest
from django.utils import timezone

from accounts import services
from accounts.models import User

_WAITING, _GIVEN_AT = "accounts.second_step", "accounts.second_factor_at"


@dataclass(frozen=True)
class Waiting:
    """A log-in whose password was right."""

    mfa_token: str
    next_page: str


def wait_in(request: HttpRequest, *, mfa_token: str, next_page: str) -> None:
    """Begin a session that waits, in the place of any that there was: nobody who knew its id gets further by it."""
    request.session.flush()
    request.session[_WAITING] = {"mfa_token": mfa_token, "next_page": next_page}


def waiting_in(request: HttpRequest) -> Waiting | None:
    """Return what the session waits for."""
    held: dict[str, str] | None = request.session.get(_WAITING)
    return Waiting(**held) if held else None


def complete_in(request: HttpRequest, user: User) -> None:
    """Sign the person in, who gave a second factor."""
    request.session.pop(_WAITING, None)
    login(request, user)
    request.session[_GIVEN_AT] = timezone.now().isoformat()


def is_complete_in(request: HttpRequest) -> bool:
    """Tell whether the session has all the factors that its person has, and must have.

    One that was given before the present factors were set up is none of them: so a reset ends such sessions.
    """
    user: Any = request.user
    since = services.earliest_factor_at(user_id=user.pk)
    given: str | None = request.session.get(_GIVEN_AT)
    if since is None:
        return not (given and services.are_wanted()) and not user.must_have_second_factor
    return given is not None and datetime.fromisoformat(given) >= since
