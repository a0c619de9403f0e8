"""Filters of the list of notices."""

from __future__ import annotations

import django_filters

from notifications.models import Message, MessageType
from smartcourse.api.filtering import BooleanFilter


class NotificationFilter(django_filters.FilterSet):
    """`?type=course_welcome`, `?unread=true`."""

    type = django_filters.ChoiceFilter(choices=MessageType.choices)
    unread = BooleanFilter(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = Message
        fields: list[str] = []
