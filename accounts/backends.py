"""Checking a password for Django's own log-in, that of the back office."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils import timezone

from accounts import services
from accounts.api.devices import device_of
from accounts.models import User, normalise_email


class GuardedBackend(ModelBackend):
    """Django's own, behind the same lock as the API's log-in, and counted together with it."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the person, or None where the password is wrong.

        Raises:
            LockedOut, TooManyAttempts: too many were wrong.
        """
        if request is None or not username or password is None:
            # From a shell or a test: nobody is guessing.
            return super().authenticate(request, username, password, **kwargs)
        device = device_of(request)
        person = User.objects.filter(email=normalise_email(username)).values_list("pk", flat=True).first()
        attempt = services.begin_attempt(
            email=username,
            place=services.place_of(email=username, address=device.address, proof=device.proof),
            user_id=person,
            at=timezone.now(),
        )
        user = super().authenticate(request, username, password, **kwargs)
        if user is None:
            attempt.failed()
        else:
            attempt.succeeded()
        return user
