"""Facts and deliveries in the back office, for staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from smartcourse.backoffice.admin import ReadOnlyAdmin, ReadOnlyInline
from smartcourse.events.models import ArchivedFact, Delivery, OutboxFact
from smartcourse.events.redelivery import deliver_again, redrive


class DeliveryInline(ReadOnlyInline):
    model = Delivery
    fields = ("subscriber", "status", "attempts", "next_attempt_at", "handled_at")


class RelayedFilter(admin.SimpleListFilter):
    title = "relayed"
    parameter_name = "relayed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Relayed"), ("no", "Waiting in the outbox")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(relayed_at__isnull=self.value() == "no")


@admin.register(OutboxFact)
class OutboxFactAdmin(ReadOnlyAdmin):
    """What happened, and whom it reached."""

    list_display = ("type", "aggregate", "aggregate_id", "sequence", "occurred_at", "relayed_at")
    list_filter = (RelayedFilter, "type")
    search_fields = ("=aggregate_id", "=id", "=request_id")
    ordering = ("-position",)
    inlines = (DeliveryInline,)
    actions = ("deliver_selected_again",)

    @admin.action(description="Deliver the selected facts to their subscribers again")
    def deliver_selected_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = deliver_again(facts=OutboxFact.objects.filter(pk__in=queryset.values("pk")))
        self.message_user(request, f"{count} deliveries will be made again.", messages.SUCCESS)


@admin.register(ArchivedFact)
class ArchivedFactAdmin(ReadOnlyAdmin):
    """What happened long ago, and was handled by everybody; `manage.py replay` takes it back from here."""

    list_display = ("type", "aggregate", "aggregate_id", "sequence", "occurred_at", "archived_at")
    list_filter = ("type",)
    search_fields = ("=aggregate_id", "=id", "=request_id")
    ordering = ("-position",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What subscribers are owed; parked ones can be driven again once the cause is mended."""

    list_display = ("listener", "fact", "status", "attempts", "cause", "next_attempt_at", "handled_at")
    list_filter = ("status", "subscriber")
    search_fields = ("=fact__id", "=fact__aggregate_id", "subscriber")
    list_select_related = ("fact",)
    actions = ("redrive_selected",)

    @admin.display(description="subscriber", ordering="subscriber")
    def listener(self, delivery: Delivery) -> str:
        """Whose it is and what it does; the modules between are on its page."""
        room, _, name = delivery.subscriber.rpartition(".")
        return f"{room.removeprefix('smartcourse.').partition('.')[0]}: {name}" if room else name

    @admin.display(description="last error")
    def cause(self, delivery: Delivery) -> str:
        """The last line of a traceback says what it was."""
        return delivery.last_error.strip().rpartition("\n")[2][:120]

    @admin.action(description="Redrive the selected parked deliveries")
    def redrive_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = redrive(deliveries=queryset)
        self.message_user(request, f"{count} parked deliveries will be tried again.", messages.SUCCESS)
