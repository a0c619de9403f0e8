"""Endpoints and deliveries for tests."""

from __future__ import annotations

import json
from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.tests.factories import UserFactory
from smartcourse.webhooks.models import DeliveryStatus, Endpoint, EndpointStatus, WebhookDelivery


class EndpointFactory(DjangoModelFactory[Endpoint]):
    """A person's endpoint; `EndpointFactory(platform=True)`, `EndpointFactory(disabled=True)`."""

    class Meta:
        model = Endpoint

    class Params:
        platform = factory.Trait(owner=None)
        disabled = factory.Trait(
            status=EndpointStatus.DISABLED,
            disabled_reason="It answered 410 Gone.",
            disabled_at=factory.LazyFunction(timezone.now),
        )

    owner = factory.SubFactory(UserFactory)
    url = "https://hooks.example.org/in?key=of-the-owner"
    fact_types = factory.LazyFunction(lambda: ["enrollment.activated"])


class WebhookDeliveryFactory(DjangoModelFactory[WebhookDelivery]):
    """A pending delivery of an enrollment, due now; `WebhookDeliveryFactory(failed=True)`."""

    class Meta:
        model = WebhookDelivery

    class Params:
        sent = factory.Trait(status=DeliveryStatus.SENT, finished_at=factory.LazyFunction(timezone.now))
        failed = factory.Trait(status=DeliveryStatus.FAILED, finished_at=factory.LazyFunction(timezone.now))

    endpoint = factory.SubFactory(EndpointFactory)
    fact_id = factory.LazyFunction(uuid4)
    fact_type = "enrollment.activated"
    body = factory.LazyAttribute(
        lambda d: json.dumps({"type": d.fact_type, "timestamp": "2026-01-01T00:00:00+00:00", "data": {}})
    )
    next_attempt_at = factory.LazyFunction(timezone.now)
