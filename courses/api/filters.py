"""Filters of the catalogue."""

from __future__ import annotations

from typing import Any

import django_filters
from django.contrib.postgres.search import SearchRank
from django.db.models import F, QuerySet

from courses.models import Course, CourseLevel
from courses.search import search_query
from smartcourse.api.filtering import WholeNumberFilter


class CourseFilter(django_filters.FilterSet):
    """`?search=` in web search syntax (best matches first), and what a course is like."""

    search = django_filters.CharFilter(method="filter_search", max_length=200)
    category = django_filters.CharFilter(field_name="category__slug")
    level = django_filters.ChoiceFilter(choices=CourseLevel.choices)
    language = django_filters.CharFilter()
    instructor = django_filters.UUIDFilter()
    min_price = WholeNumberFilter(field_name="price_cents", lookup_expr="gte")
    max_price = WholeNumberFilter(field_name="price_cents", lookup_expr="lte")
    free = django_filters.ChoiceFilter(
        method="filter_free", choices=[("true", "without a price"), ("false", "with a price")]
    )
    min_rating = django_filters.NumberFilter(field_name="rating_average", lookup_expr="gte")

    class Meta:
        model = Course
        fields: list[str] = []

    def filter_free(self, queryset: QuerySet[Any], name: str, free: str) -> QuerySet[Any]:
        return queryset.filter(price_cents=0) if free == "true" else queryset.exclude(price_cents=0)

    def filter_search(self, queryset: QuerySet[Any], name: str, words: str) -> QuerySet[Any]:
        query = search_query(words, language=(self.data or {}).get("language") or "en")
        found = queryset.filter(search_vector=query)
        rank = SearchRank(F("search_vector"), query)
        ranked: QuerySet[Any] = found.annotate(rank=rank).order_by("-rank", "-published_at", "-pk")
        return ranked
