"""Permissions at the door: `Anybody`, `SignedIn`, `Nobody`, and any predicate of a context's policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework.permissions import BasePermission

from smartcourse.errors import NotAllowed

if TYPE_CHECKING:
    # rest_framework.views imports this module, as the setting DEFAULT_PERMISSION_CLASSES says.
    from rest_framework.request import Request
    from rest_framework.views import APIView


class MfaEnrollmentRequired(NotAllowed):
    """The person must have a second factor here, and has none; all that is open is setting one up."""

    code = "mfa_enrollment_required"
    message = "Set up a second factor first: POST /auth/mfa/totp."


def check_second_factor(user: Any) -> None:
    """Refuse who must have a second factor and has none, whatever they come by: session or API key.

    Raises:
        MfaEnrollmentRequired: that is so.
    """
    if getattr(user, "owes_second_factor", False):
        raise MfaEnrollmentRequired


class Anybody(BasePermission):
    """No account is needed."""


class Nobody(BasePermission):
    """The default: an action that declares nothing is refused."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return False


class SignedIn(BasePermission):
    """Any active account."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user and request.user.is_authenticated)


class DocumentationReader(BasePermission):
    """Everyone where docs are public (development), else staff."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not settings.DOCS_ARE_PUBLIC:
            check_second_factor(request.user)
        return settings.DOCS_ARE_PUBLIC or bool(getattr(request.user, "is_staff", False))


def allowed(policy: Callable[[Any], bool]) -> type[BasePermission]:
    """Return the permission of those signed in whom the policy (a predicate over a user) lets pass."""

    class Allowed(SignedIn):
        __doc__ = policy.__doc__

        def has_permission(self, request: Request, view: APIView) -> bool:
            return super().has_permission(request, view) and policy(request.user)

    Allowed.__name__ = Allowed.__qualname__ = f"Allowed[{policy.__name__}]"
    return Allowed
