"""Filters that say so when they do not understand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ErrorDetail, ValidationError

EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter's backend; an invalid value is a 400, and a view without `filterset_class` is left alone."""

    raise_exception = True

    def filter_queryset(self, request: HttpRequest, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Narrow the list; nothing is a text, and no value of anything else.

        Raises:
            ValidationError: a filter has a value that it does not understand.
        """
        narrowed: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        known = self.get_filterset_class(view, queryset)
        filters = known.base_filters if known else {}
        nothing = {
            name: [ErrorDetail("A value is wanted.", code="invalid")]
            for name, filter_ in filters.items()
            if request.GET.get(name) == "" and not isinstance(filter_, django_filters.CharFilter)
        }
        if nothing:
            raise ValidationError(nothing)
        return narrowed


class YesOrNoField(forms.NullBooleanField):
    """A form's field that tells nonsense from nothing, where Django takes both for "unknown"."""

    widget = forms.TextInput
    default_error_messages = {"invalid": "This is true or false."}

    def clean(self, value: str | None) -> bool | None:
        known = {None: None, "": None, "true": True, "false": False}
        if (word := value.lower() if value else value) not in known:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return known[word]


class BooleanFilter(django_filters.BooleanFilter):
    """`true` or `false`."""

    field_class = YesOrNoField


class WholeNumberFilter(django_filters.NumberFilter):
    """A number without a fraction."""

    field_class = forms.IntegerField  # type: ignore[assignment]  # the stubs know decimals only


class MomentField(IsoDateTimeField):
    """A form's field for a moment of RFC 3339, whatever its offset: PostgreSQL knows none of sixteen hours or more."""

    def to_python(self, value: Any) -> datetime | None:
        moment = super().to_python(value)
        if moment is None:
            return None
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            # Beyond the calendar, where nothing ever was or will be.
            return EARLIEST if moment.year == EARLIEST.year else LATEST


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A moment, as RFC 3339 writes it."""

    field_class = MomentField
