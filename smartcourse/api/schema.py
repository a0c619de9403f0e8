"""The OpenAPI document, drawn from what a ContextViewSet declares: shapes, statuses, and every error by its code."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import status as http

from smartcourse import errors
from smartcourse.api import idempotency
from smartcourse.api.permissions import Anybody
from smartcourse.api.problems import CONTENT_TYPE, TITLES, status_of
from smartcourse.api.serializers import ProblemSerializer
from smartcourse.api.viewsets import ContextViewSet

BY_STATUS = {
    400: "invalid", 401: "not_authenticated", 403: "insufficient_permissions", 404: "not_found",
    412: "precondition_failed", 429: "rate_limited", 503: "unavailable",
}  # fmt: skip
KEY = OpenApiParameter(
    idempotency.HEADER, {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!#-\[\]-~]+$"},
    OpenApiParameter.HEADER,
    description="One key a deed, such as a UUID: sent again within 24 hours, the request is answered again and not "
    "done again. Kept are successes and what a rule refused (409, 422).",
)  # fmt: skip
REPLAYED = OpenApiParameter(
    idempotency.REPLAYED, {"type": "string", "const": "true"}, OpenApiParameter.HEADER,
    response=[200, 201, 202, 204],
    description="This is the answer to an earlier request with the same Idempotency-Key.",
)  # fmt: skip
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER,
    description="Change it only if it still is what was read with this ETag, else 412.",
)  # fmt: skip
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER,
    description="Answer 304, without a body, if what is there has this ETag.",
)  # fmt: skip
ETAG = OpenApiParameter("ETag", str, OpenApiParameter.HEADER, response=[200], description="RFC 9110, 8.8.3.")


class ContextSchema(AutoSchema):
    """drf-spectacular's schema for a ContextViewSet; other views are documented by `extend_schema`."""

    def get_request_serializer(self) -> Any:
        if isinstance(self.view, ContextViewSet):
            return self.view.inputs.get(self.view.action)
        return super().get_request_serializer()

    def get_override_parameters(self) -> list[Any]:
        view = self.view
        if not isinstance(view, ContextViewSet):
            return super().get_override_parameters()
        if self.method == "POST":
            return [KEY, REPLAYED] if view.action not in view.keyless else []
        conditions = [IF_MATCH] if view.action in view.unless_changed else []
        tags = [ETAG] if self.method == "PATCH" and conditions else []
        return [IF_NONE_MATCH, ETAG] if self._is_tagged(view) else [*conditions, *tags]

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation and isinstance(self.view, ContextViewSet) and self.view.action not in self.view.bare:
            # For the hook that puts answers into their envelope (smartcourse.api.envelope).
            operation["x-enveloped"] = True
        return operation

    def _is_tagged(self, view: ContextViewSet) -> bool:
        """Whether this is a read whose answer has a tag: JSON, and 200."""
        usual = view.statuses.get(view.action, http.HTTP_200_OK) == http.HTTP_200_OK
        return self.method == "GET" and usual and view.action in view.serializers

    def get_response_serializers(self) -> Any:
        if not isinstance(self.view, ContextViewSet):
            return super().get_response_serializers()
        unchanged: dict[Any, Any] = {}
        if self._is_tagged(self.view):
            unchanged = {http.HTTP_304_NOT_MODIFIED: OpenApiResponse(description="It has not changed.")}
        return {**self._success(self.view), **unchanged, **self._problems(self.view)}

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
        if view.action in view.inputs or view.action == "list" or self.method not in ("GET", "HEAD"):
            codes[400] = set()
        if view.action in view.unless_changed:
            codes[412] = set()
        if self.method == "POST" and view.action not in view.keyless:
            codes[400] = {idempotency.KeyInvalid.code}
            codes[409] = {idempotency.RequestInProgress.code}
            codes[422] = {idempotency.KeyReused.code}
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
