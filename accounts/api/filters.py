"""Filters of the list of people."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from accounts.models import ApplicationStatus, InstructorApplication, Role, User
from smartcourse.api.filtering import BooleanFilter, MomentFilter


class UserFilter(django_filters.FilterSet):
    """`?role=instructor`, `?is_active=false`, `?search=ada` in names and addresses, `?created_after=2026-01-01`."""

    role = django_filters.ChoiceFilter(choices=Role.choices, field_name="groups__name")
    is_active = BooleanFilter()
    is_verified = BooleanFilter()
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
    search = django_filters.CharFilter(method="filter_search")

    class Meta:
        model = User
        fields: list[str] = []

    def filter_search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(Q(full_name__icontains=value) | Q(email__icontains=value))


class InstructorApplicationFilter(django_filters.FilterSet):
    """`?status=OPEN`: what waits for a decision."""

    status = django_filters.ChoiceFilter(choices=ApplicationStatus.choices)

    class Meta:
        model = InstructorApplication
        fields: list[str] = []
