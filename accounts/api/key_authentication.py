"""Speaking by an API key. Nothing here may import a view: DRF's views import this, as the settings say."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from accounts import services
from accounts.models import ApiKey, User
from smartcourse.api.scopes import CLOSED, ScopeMissing, scope_of


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer sc_…` (RFC 6750); `request.auth` is the key. Other bearer tokens are others' business."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        words = get_authorization_header(request).split()
        if len(words) != 2 or words[0].lower() != b"bearer" or not words[1].startswith(b"sc_"):
            return None
        key = services.authenticate_api_key(key=words[1].decode("latin-1"), at=timezone.now())
        # Which scope opens an endpoint, `ContextViewSet` asks; what is none, or declares none, is closed.
        if scope_of(request.parser_context.get("view"), "GET") == CLOSED:
            raise ScopeMissing(scope=CLOSED)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """How the schema describes it, where a key opens something."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "sc_<prefix>_<random>",
            "description": "An API key (`POST /auth/api-keys`); it opens what its scopes name and its owner may.",
        }

    def get_security_requirement(self, auto_schema: Any) -> Any:
        closed = scope_of(auto_schema.view, auto_schema.method) == CLOSED
        return None if closed else super().get_security_requirement(auto_schema)
