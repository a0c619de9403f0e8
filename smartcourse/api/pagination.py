"""Two ways through a list: pages with a count for the catalogue, an opaque cursor for what grows."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination as FrameworkCursorPagination
from rest_framework.pagination import PageNumberPagination


class PagePagination(PageNumberPagination):
    """`?page=` and `?page_size=` (20, at most 100): `{count, next, previous, results}`."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100


class CursorPagination(FrameworkCursorPagination):
    """`?cursor=`: `{next, previous, results}`, newest first, as fast at the end as at the beginning."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100
    # UUIDv7 keys are ordered by time, so the primary key is the keyset.
    ordering = "-pk"
