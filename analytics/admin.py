"""Metrics in the back office, for staff."""

from __future__ import annotations

from django.contrib import admin

from analytics.models import DailyMetric, HourlyMetric
from smartcourse.backoffice.admin import ReadOnlyAdmin


@admin.register(DailyMetric)
class DailyMetricAdmin(ReadOnlyAdmin):
    """One number a day and metric."""

    list_display = ("day", "name", "value", "computed_at")
    list_filter = ("name",)
    date_hierarchy = "day"


@admin.register(HourlyMetric)
class HourlyMetricAdmin(ReadOnlyAdmin):
    """One number an hour and metric."""

    list_display = ("hour", "name", "value", "computed_at")
    list_filter = ("name",)
    date_hierarchy = "hour"
