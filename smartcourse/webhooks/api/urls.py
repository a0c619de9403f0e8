"""Addresses of webhooks."""

from __future__ import annotations

from django.urls import path

from smartcourse.webhooks.api.views import FactTypeViewSet, WebhookDeliveryViewSet, WebhookViewSet

urlpatterns = [
    path("webhooks", WebhookViewSet.as_view({"get": "list", "post": "create"}), name="webhook-list"),
    path("webhooks/fact-types", FactTypeViewSet.as_view({"get": "list"}), name="webhook-fact-types"),
    path(
        "webhooks/<uuid:pk>",
        WebhookViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="webhook-detail",
    ),
    path(
        "webhooks/<uuid:pk>/rotate-secret",
        WebhookViewSet.as_view({"post": "rotate_secret"}),
        name="webhook-rotate-secret",
    ),
    path("webhooks/<uuid:pk>/ping", WebhookViewSet.as_view({"post": "ping"}), name="webhook-ping"),
    path(
        "webhooks/<uuid:pk>/deliveries",
        WebhookDeliveryViewSet.as_view({"get": "list"}),
        name="webhook-delivery-list",
    ),
    path(
        "webhooks/<uuid:pk>/deliveries/<uuid:delivery_pk>",
        WebhookDeliveryViewSet.as_view({"get": "retrieve"}),
        name="webhook-delivery-detail",
    ),
    path(
        "webhooks/<uuid:pk>/deliveries/<uuid:delivery_pk>/redeliver",
        WebhookDeliveryViewSet.as_view({"post": "redeliver"}),
        name="webhook-redeliver",
    ),
]
