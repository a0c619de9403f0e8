"""Addresses of notices."""

from django.urls import path

from notifications.api.views import NotificationViewSet

urlpatterns = [
    path("notifications", NotificationViewSet.as_view({"get": "list"}), name="notification-list"),
    path(
        "notifications/unread-count",
        NotificationViewSet.as_view({"get": "unread_count"}),
        name="notification-unread-count",
    ),
    path(
        "notifications/read-all",
        NotificationViewSet.as_view({"post": "read_all"}),
        name="notification-read-all",
    ),
    path(
        "notifications/<uuid:pk>/read",
        NotificationViewSet.as_view({"post": "read"}),
        name="notification-read",
    ),
]
