"""Making, listing and revoking one's own API keys, over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api import serializers as shapes
from accounts.models import ApiKey
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import SignedIn
from smartcourse.api.scopes import CLOSED
from smartcourse.api.viewsets import ContextViewSet


class ApiKeyViewSet(ContextViewSet):
    """One's own API keys; no key opens this."""

    queryset = ApiKey.objects.all()
    scope = CLOSED
    pagination_class = CursorPagination
    serializers: ClassVar[dict[str, Any]] = {
        "list": shapes.ApiKeySerializer,
        "create": shapes.MadeApiKeySerializer,
    }
    inputs: ClassVar[dict[str, Any]] = {"create": shapes.ApiKeyInput}
    permissions: ClassVar[dict[str, Any]] = {"list": [SignedIn], "create": [SignedIn], "destroy": [SignedIn]}
    raises: ClassVar[dict[str, Any]] = {"create": [services.BadExpiry, services.TooManyApiKeys]}
    throttle_scopes: ClassVar[dict[str, str]] = {"create": "auth"}
    keyless: ClassVar[dict[str, str]] = {"create": "the answer holds a secret, and no secret is recorded"}

    def get_queryset(self) -> Any:
        own: Any = super().get_queryset()
        return own.kept()

    def list(self, request: Request, **_path: Any) -> Response:
        """List one's keys, newest first, without those that were revoked."""
        return super().list(request)

    def create(self, request: Request) -> Response:
        """Make a key: the answer, and no later one, holds it."""
        made = services.create_api_key(user_id=self.caller.pk, at=timezone.now(), **self.validated(request))
        response = self.respond(made, created=True)
        response["Cache-Control"] = "no-store"
        return response

    def destroy(self, request: Request, **_path: Any) -> Response:
        """Revoke a key: it is refused from the next request on."""
        services.revoke_api_key(key_id=self.get_object().pk, at=timezone.now())
        return self.respond()
