"""The OpenAPI document, drawn from what a ContextViewSet declares: shapes, statuses, and every error by its code."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import status as http

from smartcourse import errors
from smartcourse.api.permissions import Anybody
from smartcourse.api.problems import CONTENT_TYPE, TITLES, status_of
from smartcourse.api.serializers import ProblemSerializer
from smartcourse.api.viewsets import ContextViewSet

BY_STATUS = {
    400: "invalid", 401: "not_authenticated", 403: "insufficient_permissions", 404: "not_found",
    429: "rate_limited", 503: "unavailable",
}  # fmt: skip


class ContextSchema(AutoSchema):
    """drf-spectacular's schema for a ContextViewSet; other views are documented by `extend_schema`."""

    def get_request_serializer(self) -> Any:
        if isinstance(self.view, ContextViewSet):
            return self.view.inputs.get(self.view.action)
        return super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        if not isinstance(self.view, ContextViewSet):
            return super().get_response_serializers()
        return {**self._success(self.view), **self._problems(self.view)}

    def get_filter_backends(self) -> list[Any]:
        return super().get_filter_backends() if getattr(self.view, "action", "list") == "list" else []

    def _success(self, view: ContextViewSet) -> dict[Any, Any]:
        if media_type := view.files.get(view.action):
            return {(http.HTTP_200_OK, media_type): OpenApiTypes.BINARY}
        answer = view.serializers.get(view.action)
        if answer is None:
            return {view.statuses.get(view.action, http.HTTP_204_NO_CONTENT): None}
        default = http.HTTP_201_CREATED if view.action == "create" else http.HTTP_200_OK
        status = view.statuses.get(view.action, default)
        return {status: answer}

    def _problems(self, view: ContextViewSet) -> dict[Any, Any]:
        codes: dict[int, set[str]] = {429: set(), 503: set()}
        permissions = view.permissions.get(view.action, [])
        if view.get_authenticators():
            # Also where no account is needed: a token that is sent along must be a good one.
            codes[401] = {"token_expired", "token_revoked"}
        if Anybody not in permissions:
            codes[403] = set()
        if "{" in self.path:
            codes[404] = set()
        if view.action in view.inputs or view.action == "list":
            codes[400] = set()
        for error in view.raises.get(view.action, ()):
            codes.setdefault(status_of(error), set()).add(error.code)
        return {(status, CONTENT_TYPE): _described(status, codes[status]) for status in sorted(codes)}


def _described(status: int, codes: set[str]) -> OpenApiResponse:
    usual = {BY_STATUS[status]} if status in BY_STATUS else set()
    known = ", ".join(f"`{code}`" for code in sorted(codes | usual))
    return OpenApiResponse(ProblemSerializer, description=f"{TITLES[status]}: {known}.")


def error_kinds() -> list[type[errors.DomainError]]:
    """Return every declared domain error, for documentation and for the consistency test."""
    found: list[type[errors.DomainError]] = []
    waiting = list(errors.DomainError.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        found.append(kind)
    return found
