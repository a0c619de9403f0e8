"""Filters of the list of people."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from accounts.models import Role, User
from smartcourse.api.filtering import BooleanFilter


class UserFilter(django_filters.FilterSet):
    """`?role=instructor`, `?is_active=false`, `?search=ada` in names and addresses."""

    role = django_filters.ChoiceFilter(choices=Role.choices, field_name="groups__name")
    is_active = BooleanFilter()
    search = django_filters.CharFilter(method="filter_search")

    class Meta:
        model = User
        fields: list[str] = []

    def filter_search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(Q(full_name__icontains=value) | Q(email__icontains=value))
