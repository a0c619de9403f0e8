"""How lists of deliveries are narrowed."""

from __future__ import annotations

import django_filters

from smartcourse.webhooks.models import DeliveryStatus, WebhookDelivery


class DeliveryFilter(django_filters.FilterSet):
    """`?status=FAILED`, `?fact_type=course.published`."""

    status = django_filters.ChoiceFilter(choices=DeliveryStatus.choices)
    fact_type = django_filters.CharFilter()

    class Meta:
        model = WebhookDelivery
        fields = ["status", "fact_type"]
