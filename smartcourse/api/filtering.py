"""Filters that say so when they do not understand."""

from __future__ import annotations

from django_filters.rest_framework import DjangoFilterBackend


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter's backend; an invalid value is a 400, and a view without `filterset_class` is left alone."""

    raise_exception = True
