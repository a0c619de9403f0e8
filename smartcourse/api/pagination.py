"""Two ways through a list: pages with a count for the catalogue, an opaque cursor for what grows."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination as FrameworkCursorPagination
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from smartcourse.errors import FieldError, Invalid, Unacceptable

PAGE_SIZE = 20
MOST = 100
LARGEST = 10**18 - 1
"""The largest number that is read in a query; short of what Python's own conversion would refuse to read."""


class PagePagination(PageNumberPagination):
    """`?page=` and `?page_size=` (20, at most 100): `{count, next, previous, results}`."""

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MOST

    def paginate_queryset(
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any] | None:
        # Beyond the last page is a 404; what is no number is no page of any list.
        _positive(request, self.page_query_param)
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        return _page_size(request, self.page_size_query_param)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return _whole_numbers(super().get_schema_operation_parameters(view))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        count = {"type": "integer", "minimum": 0, "description": "How many there are on all pages together."}
        return _listed(schema, count=count)


class CursorPagination(FrameworkCursorPagination):
    """`?cursor=`: `{next, previous, results}`, newest first, as fast at the end as at the beginning."""

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MOST
    # UUIDv7 keys are ordered by time, so the primary key is the keyset.
    ordering = "-pk"

    def paginate_queryset(
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any] | None:
        try:
            # Python's decoder passes over what is no base64, which would make nonsense the beginning of the list.
            b64decode(request.query_params.get(self.cursor_query_param, ""), validate=True)
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, DjangoValidationError, ValueError) as error:
            # It is not base64, holds no position, or one that is no key: nobody got it from us.
            detail = "This cursor was not given by this list."
            raise Unacceptable(errors=[FieldError(self.cursor_query_param, "invalid", detail)]) from error

    def get_page_size(self, request: Request) -> int:
        return _page_size(request, self.page_size_query_param)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return _whole_numbers(super().get_schema_operation_parameters(view))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _listed(schema)


def _listed(results: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the shape of a page, in the JSON Schema of OpenAPI 3.1 (DRF's own speaks 3.0)."""
    address = {"type": ["string", "null"], "format": "uri"}
    properties = {**more, "next": address, "previous": address, "results": results}
    return {"type": "object", "required": list(properties), "properties": properties}


def _whole_numbers(parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parameters with what `_positive` asks of those that are numbers."""
    for parameter in parameters:
        if parameter["schema"]["type"] == "integer":
            parameter["schema"] |= {"minimum": 1, "maximum": LARGEST}
    return parameters


def _page_size(request: Request, name: str) -> int:
    return min(_positive(request, name) or PAGE_SIZE, MOST)


def _positive(request: Request, name: str) -> int | None:
    """Return the number of that name in the query, None where it is not there.

    Raises:
        Invalid: it is no whole number above nought.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    digits = len(str(LARGEST))
    if not text.isascii() or not text.isdigit() or len(text) > digits or int(text) == 0:
        raise Invalid(errors=[FieldError(name, "invalid", "A whole number above nought is wanted.")])
    return int(text)
