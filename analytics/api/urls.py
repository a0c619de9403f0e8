"""Addresses of numbers."""

from django.urls import path

from analytics.api.views import AnalyticsViewSet

urlpatterns = [
    path("analytics/platform", AnalyticsViewSet.as_view({"get": "platform"}), name="analytics-platform"),
    path("analytics/courses/<uuid:pk>", AnalyticsViewSet.as_view({"get": "course"}), name="analytics-course"),
]
