"""Addresses of enrollments."""

from __future__ import annotations

from django.urls import path

from enrollments.api.views import EnrollmentViewSet, RosterViewSet

urlpatterns = [
    path("enrollments", EnrollmentViewSet.as_view({"post": "create"}), name="enrollment-list"),
    path("enrollments/my-courses", EnrollmentViewSet.as_view({"get": "list"}), name="enrollment-my-courses"),
    path(
        "enrollments/<uuid:pk>",
        EnrollmentViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="enrollment-detail",
    ),
    path("courses/<uuid:pk>/roster", RosterViewSet.as_view({"get": "list"}), name="course-roster"),
]
