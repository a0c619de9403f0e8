"""Messages in the back office, for staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from notifications import services
from notifications.models import Message
from smartcourse.backoffice.admin import ReadOnlyAdmin


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """What was told to whom, and whether it left."""

    list_display = (
        "title",
        "type",
        "channel",
        "recipient",
        "status",
        "attempts",
        "created_at",
        "sent_at",
        "read_at",
    )
    list_filter = ("status", "channel", "type")
    search_fields = ("recipient__email", "title", "=fact_id")
    list_select_related = ("recipient",)
    actions = ("send_again",)

    @admin.action(description="Send the selected failed messages again")
    def send_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = services.send_again(message_ids=list(queryset.values_list("pk", flat=True)))
        self.message_user(request, f"{count} messages will be sent again.", messages.SUCCESS)
