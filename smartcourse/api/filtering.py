"""Filters that say so when they do not understand."""

from __future__ import annotations

from typing import Any

from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter's backend; an invalid value is a 400, and a view without `filterset_class` is left alone."""

    raise_exception = True

    def get_filterset_kwargs(self, request: Request, queryset: Any, view: Any) -> dict[str, Any]:
        return {**super().get_filterset_kwargs(request, queryset, view), "request": request}
