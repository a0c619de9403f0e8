"""The OpenAPI document, drawn from what a ContextViewSet declares: shapes, statuses, and every error by its code."""

from __future__ import annotations

import inspect
import re
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import status as http
from rest_framework.serializers import ListSerializer

from smartcourse import errors
from smartcourse.api import idempotency
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import Anybody, MfaEnrollmentRequired
from smartcourse.api.problems import CONTENT_TYPE, TITLES, status_of
from smartcourse.api.serializers import InputSerializer, ProblemSerializer, StorableCharField
from smartcourse.api.viewsets import ContextViewSet

BY_STATUS = {
    401: "not_authenticated", 404: "not_found",
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


CODES = "x-problem-codes"
"""Where an answer of the schema lists its problems' codes, for programs; for people they are in its description."""


class ContextSchema(AutoSchema):
    """drf-spectacular's schema for a ContextViewSet; other views are documented by `extend_schema`."""

    def get_summary(self) -> str | None:
        """Return the first sentence of the description."""
        return super().get_summary() or re.split(r"[.;:]\s|\.$", self.get_description(), maxsplit=1)[0]

    def get_auth(self) -> list[Any]:
        ways: list[Any] = super().get_auth()
        view = self.view
        # Where anybody may come, a token says who comes.
        optional = isinstance(view, ContextViewSet) and Anybody in view.permissions.get(view.action, [])
        return [*ways, {}] if optional and ways else ways

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
        if operation and isinstance(self.view, ContextViewSet):
            for status, codes in self._codes(self.view).items():
                operation["responses"][str(status)][CODES] = sorted(codes)
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
        found = (
            {http.HTTP_200_OK: OpenApiResponse(answer, "It was there already.")}
            if view.action in view.finds
            else {}
        )
        return {**found, status: answer}

    def _problems(self, view: ContextViewSet) -> dict[Any, Any]:
        """Return, for each status of a refusal, the problem document and its codes in words."""
        return {
            (status, CONTENT_TYPE): OpenApiResponse(
                ProblemSerializer,
                description=f"{TITLES[status]}: {', '.join(f'`{code}`' for code in sorted(codes))}.",
            )
            for status, codes in sorted(self._codes(view).items())
        }

    def _codes(self, view: ContextViewSet) -> dict[int, set[str]]:
        """Return, for each status of a refusal, the codes that it may come with."""
        # An address that is no text is malformed wherever it leads.
        codes: dict[int, set[str]] = {400: {"malformed"}, 429: set(), 503: set()}
        permissions = view.permissions.get(view.action, [])
        if view.get_authenticators():
            # Also where no account is needed: a token that is sent along must be a good one.
            codes[401] = {"invalid_token", "token_expired", "token_revoked"}
            # So must be who sent it, and a cookie be sent by our own pages.
            codes[403] = {"inactive_user", "csrf_failed"}
            if view.action not in view.without_second_factor:
                codes[403].add(MfaEnrollmentRequired.code)
        if Anybody not in permissions:
            codes.setdefault(403, set()).add("insufficient_permissions")
        if "{" in self.path:
            codes[404] = set()
        if view.action in view.inputs or view.action == "list" or self.method not in ("GET", "HEAD"):
            codes[400].add(errors.Invalid.code)
        if view.action == "list":
            # A page beyond the last, or a cursor that another list gave.
            by_cursor = issubclass(view.pagination_class or object, CursorPagination)
            codes.setdefault(422 if by_cursor else 404, set()).update(
                {errors.Unacceptable.code} if by_cursor else ()
            )
        if view.action in view.unless_changed:
            codes[412] = set()
        if self.method == "POST" and view.action not in view.keyless:
            codes[400].add(idempotency.KeyInvalid.code)
            codes[409] = {idempotency.RequestInProgress.code}
            codes[422] = {idempotency.KeyReused.code}
        for error in view.raises.get(view.action, ()):
            codes.setdefault(status_of(error), set()).add(error.code)
        return {
            status: known | ({BY_STATUS[status]} if status in BY_STATUS else set())
            for status, known in codes.items()
        }


class StrictInput(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """How the schema describes a body: it takes no field that it does not name, and is called what is asked for."""

    target_class = InputSerializer
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: str) -> str:
        """Return the name without the word for a body, which drf-spectacular appends."""
        return re.sub(r"(Input|Request)$", "", auto_schema.get_serializer_name(self.target, direction))

    def map_serializer(self, auto_schema: Any, direction: str) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001 - its way
        if schema.get("description") == inspect.getdoc(InputSerializer):
            del schema["description"]
        target: Any = force_instance(self.target)  # type: ignore[no-untyped-call]  # it has no types
        lists: dict[str, Any] = {n: f for n, f in target.fields.items() if isinstance(f, ListSerializer)}
        for name, field in lists.items():
            # Of lists of plain fields drf-spectacular says it itself.
            bounds = {"minItems": field.min_length, "maxItems": field.max_length}
            schema["properties"][name] |= {key: bound for key, bound in bounds.items() if bound is not None}
        return {**schema, "additionalProperties": False}


# What Python does not trim away; `\s` is another set in each dialect of regular expressions.
SEEN = r"[^\u0000\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"


class StorableText(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """How the schema describes a text: without NUL, and as long as it must be when its ends are trimmed."""

    target_class = StorableCharField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> Any:
        field = self.target
        schema = auto_schema._map_serializer_field(field, direction, bypass_extensions=True)  # noqa: SLF001 - its way
        blank = field.allow_blank or not field.trim_whitespace
        least = 0 if blank else max(1, getattr(field, "min_length", None) or 1)
        middle = f"[^\\u0000]{{{least - 2},}}{SEEN}[^\\u0000]*" if least > 1 else "[^\\u0000]*"
        seen = f"{SEEN}{middle}" if least else ""
        return {**schema, "pattern": f"^[^\\u0000]*{seen}$"}


def error_kinds() -> list[type[errors.DomainError]]:
    """Return every declared domain error, for documentation and for the consistency test."""
    found: list[type[errors.DomainError]] = []
    waiting = list(errors.DomainError.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        found.append(kind)
    return found
