"""The admin site: by role, so that instructors work in it without being staff."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest


class BackofficeSite(AdminSite):
    """Staff and administrators see everything, instructors their own rows, others the log-in page."""

    site_header = "SmartCourse"
    site_title = "SmartCourse"
    index_title = "Back office"
    empty_value_display = "–"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        may_enter = getattr(user, "may_enter_backoffice", False)
        return bool(user.is_active and may_enter)
