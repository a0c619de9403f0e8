"""Webhooks in the back office, for staff: how each endpoint is doing, and what became of every delivery."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from smartcourse.backoffice.admin import ReadOnlyAdmin, ReadOnlyInline
from smartcourse.errors import DomainError
from smartcourse.webhooks import services
from smartcourse.webhooks.models import (
    PING,
    DeliveryAttempt,
    DeliveryStatus,
    Endpoint,
    EndpointStatus,
    WebhookDelivery,
)
from smartcourse.webhooks.policies import types_for


class WebhookAdmin(ReadOnlyAdmin):
    """Actions that do one deed for each selected row, and say what became of it."""

    def for_each(
        self, request: HttpRequest, queryset: QuerySet[Any], deed: Callable[[Any], object], done: str
    ) -> None:
        """Do the deed for each row; `done` completes the sentence that begins with the row."""
        for row in queryset:
            try:
                deed(row)
            except DomainError as error:
                self.message_user(request, f"{row}: {error.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{row} {done}.", messages.SUCCESS)


def _count(status: DeliveryStatus) -> Coalesce:
    """Count an endpoint's deliveries of that status: by a subquery, which is asked for the rows of the page only."""
    of_endpoint = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), status=status).order_by()
    return Coalesce(Subquery(of_endpoint.values("endpoint").annotate(n=Count("pk")).values("n")), 0)


class HealthFilter(admin.SimpleListFilter):
    """Endpoints by how they are."""

    title = parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("well", "Well"), ("failing", "Failing"), ("disabled", "Disabled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        switched_on = queryset.filter(status=EndpointStatus.ENABLED)
        chosen = {
            "well": switched_on.filter(failing_since=None),
            "failing": switched_on.exclude(failing_since=None),
            "disabled": queryset.filter(status=EndpointStatus.DISABLED),
        }
        return chosen.get(self.value() or "", queryset)


class OwnerFilter(admin.SimpleListFilter):
    """The platform's endpoints, or people's."""

    title, parameter_name = "who it belongs to", "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("platform", "The platform"), ("people", "People")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(owner__isnull=self.value() == "platform") if self.value() else queryset


class FactTypeFilter(admin.SimpleListFilter):
    """Deliveries by their fact; from the registry, since asking the rows for theirs would read them all."""

    title, parameter_name = "fact", "fact_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in (*types_for(platform=True), PING)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(fact_type=self.value()) if self.value() else queryset


@admin.register(Endpoint)
class EndpointAdmin(WebhookAdmin):
    """Who is told of what, and whether they listen. The secrets are on no page."""

    list_display = ("name", "belongs_to", "health", "wants", "owed", "given_up", "created_at")
    list_filter = (HealthFilter, OwnerFilter)
    search_fields = ("=id", "description", "url", "owner__full_name", "owner__email")
    list_select_related = ("owner",)
    ordering = ("-id",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "destination",
                    "description",
                    "belongs_to",
                    "facts",
                    "deliveries_link",
                    "created_at",
                )
            },
        ),
        (
            "Health",
            {
                "fields": (
                    "health",
                    "failing_since",
                    "failures_in_a_row",
                    "rests_until",
                    "disabled_at",
                    "disabled_reason",
                )
            },
        ),
        ("Secret", {"fields": ("previous_secret_expires_at",)}),
    )
    actions = ("enable_selected", "disable_selected", "ping_selected", "rotate_selected")
    object_actions: ClassVar[dict[str, str]] = {
        "ping_selected": "Ping", "enable_selected": "Enable", "disable_selected": "Disable",
        "rotate_selected": "Rotate the secret",
    }  # fmt: skip

    def offers(self, action: str, obj: Model) -> bool:
        enabled = isinstance(obj, Endpoint) and obj.is_enabled
        return {"enable_selected": not enabled, "disable_selected": enabled, "ping_selected": enabled}.get(
            action, True
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(pending=_count(DeliveryStatus.PENDING), failed=_count(DeliveryStatus.FAILED))
        )
        return counted

    @admin.display(description="endpoint")
    def name(self, endpoint: Endpoint) -> str:
        return f"{endpoint.description} ({endpoint.host})" if endpoint.description else endpoint.host

    @admin.display(description="URL")
    def destination(self, endpoint: Endpoint) -> str:
        # The path may be a secret of its owner's: a chat's incoming hook lets whoever knows it write there.
        return endpoint.url if endpoint.is_platform else f"{endpoint.url.split('://')[0]}://{endpoint.host}/…"

    @admin.display(description="belongs to")
    def belongs_to(self, endpoint: Endpoint) -> str:
        return "the platform" if endpoint.is_platform else str(endpoint.owner)

    @admin.display(description="health")
    def health(self, endpoint: Endpoint) -> str:
        if endpoint.status == EndpointStatus.DISABLED:
            return f"Disabled. {endpoint.disabled_reason}"
        if endpoint.failing_since:
            return f"Failing since {date_format(endpoint.failing_since, 'DATETIME_FORMAT')}"
        return "Well"

    @admin.display(description="facts")
    def wants(self, endpoint: Endpoint) -> str:
        first, more = endpoint.fact_types[0], len(endpoint.fact_types) - 1
        return f"{first} and {more} more" if more else first

    @admin.display(description="facts")
    def facts(self, endpoint: Endpoint) -> str:
        return format_html_join(mark_safe("<br>"), "{}", ((name,) for name in endpoint.fact_types))

    @admin.display(description="pending", ordering="pending")
    def owed(self, endpoint: Any) -> int:
        return int(endpoint.pending)

    @admin.display(description="failed", ordering="failed")
    def given_up(self, endpoint: Any) -> int:
        return int(endpoint.failed)

    @admin.display(description="deliveries")
    def deliveries_link(self, endpoint: Any) -> str:
        address = reverse("admin:webhooks_webhookdelivery_changelist")
        words = f"{endpoint.pending} pending, {endpoint.failed} failed: see them all"
        return format_html('<a href="{}?endpoint__id__exact={}">{}</a>', address, endpoint.pk, words)

    @admin.action(description="Enable the selected endpoints")
    def enable_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, EndpointStatus.ENABLED, "is enabled, and sent what it was owed")

    @admin.action(description="Disable the selected endpoints")
    def disable_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, EndpointStatus.DISABLED, "is disabled")

    def _switch(
        self, request: HttpRequest, queryset: QuerySet[Any], status: EndpointStatus, done: str
    ) -> None:
        def switch(row: Endpoint) -> None:
            services.change_endpoint(endpoint_id=row.pk, at=timezone.now(), status=status)

        self.for_each(request, queryset, switch, done)

    @admin.action(description="Ping the selected endpoints")
    def ping_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.for_each(
            request,
            queryset,
            lambda row: services.ping(endpoint_id=row.pk, at=timezone.now()),
            "is being pinged: its deliveries tell how it went",
        )

    @admin.action(description="Rotate the secrets of the selected endpoints")
    def rotate_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.for_each(
            request,
            queryset,
            lambda row: services.rotate_secret(endpoint_id=row.pk, at=timezone.now()),
            "has a new secret, and the former one for a day; its owner is shown one by rotating it by the API",
        )


class AttemptInline(ReadOnlyInline):
    model = DeliveryAttempt
    verbose_name_plural = "attempts"
    fields = ("number", "at", "duration_ms", "status_code", "error", "response")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(WebhookAdmin):
    """What was sent where, what came back, and what is tried again when."""

    list_display = (
        "fact_type", "endpoint", "status", "attempts", "last_answer", "created_at", "next_attempt", "finished_at",
    )  # fmt: skip
    list_filter = ("status", FactTypeFilter)
    search_fields = ("=id", "=fact_id", "=endpoint__id", "endpoint__description", "endpoint__owner__email")
    list_select_related = ("endpoint",)
    ordering = ("-id",)
    fields = (
        "fact_type", "message_id", "endpoint", "status", "attempts", "redelivery", "created_at", "next_attempt",
        "finished_at", "payload",
    )  # fmt: skip
    inlines = (AttemptInline,)
    actions = ("redeliver_selected",)
    object_actions: ClassVar[dict[str, str]] = {"redeliver_selected": "Send again"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        last = DeliveryAttempt.objects.filter(delivery=OuterRef("pk")).order_by("-number")
        answered: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                last_status=Subquery(last.values("status_code")[:1]),
                last_error=Subquery(last.values("error")[:1]),
            )
        )
        return answered

    @admin.display(description="last answer")
    def last_answer(self, delivery: Any) -> str | None:
        return " ".join(str(word) for word in (delivery.last_status, delivery.last_error) if word) or None

    @admin.display(description="next attempt", ordering="next_attempt_at")
    def next_attempt(self, delivery: WebhookDelivery) -> Any:
        return delivery.next_attempt_at if delivery.status == DeliveryStatus.PENDING else None

    @admin.display(description="body")
    def payload(self, delivery: WebhookDelivery) -> str:
        return format_html(
            "<pre>{}</pre>", json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False)
        )

    @admin.action(description="Redeliver the selected deliveries")
    def redeliver_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.for_each(
            request,
            queryset,
            lambda row: services.redeliver(delivery_id=row.pk, at=timezone.now()),
            "is being sent again",
        )
