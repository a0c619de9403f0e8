"""Roles, given and taken over HTTP: by administrators, and never one's own."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policies, services
from accounts.api import serializers as shapes
from accounts.models import Role, User
from smartcourse.api.permissions import allowed
from smartcourse.api.viewsets import ContextViewSet


class RoleConverter:
    """The name of a role in an address; another word is an address that does not exist."""

    regex = "|".join(Role.values)

    def to_python(self, value: str) -> Role:
        return Role(value)

    def to_url(self, value: Role) -> str:
        return Role(value).value


class RoleViewSet(ContextViewSet):
    """The roles of a person. Whoever gains or loses one logs in anew; staff and admin are staff in the admin too."""

    scope = "users"
    queryset = User.objects.with_roles()
    serializers: ClassVar[dict[str, Any]] = {"grant": shapes.UserSerializer, "revoke": shapes.UserSerializer}
    permissions: ClassVar[dict[str, Any]] = {
        "grant": [allowed(policies.is_administrator)],
        "revoke": [allowed(policies.is_administrator)],
    }
    raises: ClassVar[dict[str, Any]] = {
        "grant": [services.NotOneself, services.AccountErased],
        "revoke": [services.NotOneself],
    }

    def grant(self, request: Request, pk: UUID, role: Role) -> Response:
        """Give a person a role, in addition to those they have; one that they have stays."""
        return self.respond(services.grant_role(user_id=self.get_object().pk, role=role, by=self.caller))

    def revoke(self, request: Request, pk: UUID, role: Role) -> Response:
        """Take a role from a person: it opens nothing from the next request on."""
        return self.respond(services.revoke_role(user_id=self.get_object().pk, role=role, by=self.caller))
