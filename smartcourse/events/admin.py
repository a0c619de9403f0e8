"""Facts and deliveries in the back office, for staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from smartcourse.backoffice.admin import ReadOnlyAdmin, ReadOnlyInline
from smartcourse.events.deliveries import redrive
from smartcourse.events.models import Delivery, OutboxFact


class DeliveryInline(ReadOnlyInline):
    model = Delivery
    fields = ("subscriber", "status", "attempts", "handled_at")


@admin.register(OutboxFact)
class OutboxFactAdmin(ReadOnlyAdmin):
    """What happened, and whom it reached."""

    list_display = ("type", "aggregate", "aggregate_id", "sequence", "occurred_at", "relayed_at")
    list_filter = ("type", "relayed_at")
    search_fields = ("=aggregate_id", "=id", "=request_id")
    ordering = ("-position",)
    inlines = (DeliveryInline,)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What subscribers are owed; parked ones can be driven again once the cause is mended."""

    list_display = ("subscriber", "fact", "status", "attempts", "created_at", "handled_at")
    list_filter = ("status", "subscriber")
    search_fields = ("=fact__id", "subscriber")
    list_select_related = ("fact",)
    actions = ("redrive_selected",)

    @admin.action(description="Redrive the selected parked deliveries")
    def redrive_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = redrive(deliveries=queryset)
        self.message_user(request, f"{count} parked deliveries will be tried again.", messages.SUCCESS)
