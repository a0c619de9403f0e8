"""People and teachers, over HTTP."""

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
from accounts.models import InstructorProfile, Role, User
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import Anybody, SignedIn, allowed
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
            serializers=[shapes.UserSerializer, shapes.PublicProfileSerializer],
            resource_type_field_name=None,
        ),
        "update": shapes.UserSerializer,
        "partial_update": shapes.UserSerializer,
    }
    inputs: ClassVar[dict[str, Any]] = {"update": shapes.ProfileInput, "partial_update": shapes.ProfileInput}
    permissions: ClassVar[dict[str, Any]] = {
        "list": [allowed(policies.is_staff)],
        "retrieve": [SignedIn],
        "update": [SignedIn],
        "partial_update": [SignedIn],
        "destroy": [allowed(policies.is_administrator)],
    }
    raises: ClassVar[dict[str, Any]] = {
        "update": [shapes.NameUnprintable],
        "partial_update": [shapes.NameUnprintable],
        "destroy": [services.NotOneself],
    }

    def get_queryset(self) -> Any:
        # Others are no secret, only what is known of them; an inactive account is, to all but staff.
        people = User.objects.with_roles()
        return people if policies.is_staff(self.request.user) else people.active()

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """A person: whole for oneself and staff, the public profile for others."""
        person = self.get_object()
        known = policies.is_staff(request.user) or person.pk == request.user.pk
        shape: type[BaseSerializer[Any]] = shapes.UserSerializer if known else shapes.PublicProfileSerializer
        return Response(shape(person, context=self.get_serializer_context()).data)

    def update(self, request: Request, pk: UUID) -> Response:
        """Change what a person is called: oneself, or staff anybody."""
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


class InstructorViewSet(ContextViewSet):
    """Teachers, as learners see them."""

    scope = "users"
    queryset = InstructorProfile.objects.select_related("user")
    pagination_class = CursorPagination
    lookup_field = "user_id"
    lookup_url_kwarg = "pk"
    serializers: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("list", "retrieve", "update_mine"), shapes.InstructorSerializer
    )
    inputs: ClassVar[dict[str, Any]] = {"update_mine": shapes.InstructorProfileInput}
    permissions: ClassVar[dict[str, Any]] = {
        "list": [Anybody],
        "retrieve": [Anybody],
        "update_mine": [allowed(policies.can_teach)],
    }

    def get_queryset(self) -> Any:
        teachers = InstructorProfile.objects.select_related("user")
        return teachers.filter(user__is_active=True, user__groups__name=Role.INSTRUCTOR).order_by("-user_id")

    def update_mine(self, request: Request) -> Response:
        """Change what learners read about oneself."""
        return self.respond(
            services.update_instructor_profile(user_id=self.caller.pk, changes=self.validated(request))
        )
