"""People, over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts import policies, services
from accounts.api import serializers as shapes
from accounts.api.filters import UserFilter
from accounts.models import User
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import SignedIn, allowed
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.errors import NotAllowed


class UserViewSet(ContextViewSet):
    """People: all of them for staff, oneself, and of others what everybody may know."""

    scope = "users"
    queryset = User.objects.with_roles()
    pagination_class = CursorPagination
    filterset_class = UserFilter
    serializers: ClassVar[dict[str, Any]] = {
        "list": shapes.UserSerializer,
        # For the schema; which of the two it is, `retrieve` decides.
        "retrieve": PolymorphicProxySerializer(
            component_name="UserOrPublicProfile",
            serializers=[shapes.AccountSerializer, shapes.PublicProfileSerializer],
            resource_type_field_name=None,
        ),
        "update": shapes.AccountSerializer,
        "partial_update": shapes.AccountSerializer,
        "reactivate": shapes.UserSerializer,
    }
    inputs: ClassVar[dict[str, Any]] = {"update": shapes.ProfileInput, "partial_update": shapes.ProfileInput}
    permissions: ClassVar[dict[str, Any]] = {
        "list": [allowed(policies.is_staff)],
        "retrieve": [SignedIn],
        "update": [SignedIn],
        "partial_update": [SignedIn],
        "destroy": [allowed(policies.is_administrator)],
        "reactivate": [allowed(policies.is_administrator)],
    }
    raises: ClassVar[dict[str, Any]] = {
        "update": [shapes.NameUnprintable, shapes.NoSuchPhone, shapes.NobodyBornThen],
        "partial_update": [shapes.NameUnprintable, shapes.NoSuchPhone, shapes.NobodyBornThen],
        "destroy": [services.NotOneself],
        "reactivate": [services.NotOneself, services.AccountErased],
    }

    def get_queryset(self) -> Any:
        # Others are no secret, only what is known of them; an inactive account is, to all but staff.
        people = User.objects.reachable().with_roles()
        return people if policies.is_staff(self.request.user) else people.active()

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """A person: whole for oneself and staff, the public profile for others."""
        person = self.get_object()
        known = policies.is_staff(request.user) or person.pk == request.user.pk
        shape: type[BaseSerializer[Any]] = (
            shapes.AccountSerializer if known else shapes.PublicProfileSerializer
        )
        return Response(shape(person, context=self.get_serializer_context()).data)

    def update(self, request: Request, pk: UUID) -> Response:
        """Change what a person has said of themselves: oneself, or staff anybody."""
        person = self.get_object()
        if person.pk != request.user.pk and not policies.is_staff(request.user):
            raise NotAllowed
        changes = self.validated(request)
        return self.respond(services.update_profile(user_id=person.pk, **changes) if changes else person)

    partial_update = update

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Deactivate an account; nothing it holds is deleted."""
        services.deactivate_user(user_id=self.get_object().pk, by=self.caller, at=timezone.now())
        return self.respond()

    def reactivate(self, request: Request, pk: UUID) -> Response:
        """Open a deactivated account again; one that is open stays so."""
        services.reactivate_user(user_id=self.get_object().pk, by=self.caller)
        return self.respond(self.get_object())
