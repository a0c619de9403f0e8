"""What webhooks hold of a person: their own endpoints with all they were owed, and what others' were told of them."""

from __future__ import annotations

import json
from datetime import datetime

from smartcourse.db.personal import Holding, Person, Texts, declare
from smartcourse.events.facts import all_facts
from smartcourse.webhooks.models import WebhookDelivery

SECRET = "a secret, or an address that may hold one"  # noqa: S105 - a reason, and none itself
OURS = "how it is sent, and nothing about the person"


def forget_what_others_were_told(person: Person, at: datetime) -> None:
    """Empty the personal words in the bodies that are owed to others; who was sent them hears `user.erased`."""
    personal = {fact.type: fact.personal for fact in all_facts().values() if fact.personal}
    about = WebhookDelivery.objects.filter(fact_type__in=personal, body__contains=str(person.id))
    for delivery in about.iterator():
        body = json.loads(delivery.body)
        told = body.get("data")
        if isinstance(told, dict):
            told.update({name: "" for name in personal[delivery.fact_type] if name in told})
            # As `signing.body_of` writes it.
            delivery.body = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            delivery.save(update_fields=["body"])


declare(
    "webhooks",
    Holding(
        model="webhooks.Endpoint",
        person="owner",
        told=(
            "id", "owner", "description", "fact_types", "status", "disabled_reason", "disabled_at", "created_at",
            "updated_at", "failing_since", "failures_in_a_row",
        ),
        untold={
            **dict.fromkeys(("url", "secret", "previous_secret"), SECRET),
            **dict.fromkeys(("previous_secret_expires_at", "rests_until", "woken_at"), OURS),
        },
        deleted=True,
    ),
    Holding(
        model="webhooks.WebhookDelivery",
        person="endpoint__owner",
        told=(
            "id", "endpoint", "fact_id", "fact_type", "redelivery", "body", "status", "attempts", "created_at",
            "updated_at", "finished_at",
        ),
        untold=dict.fromkeys(("next_attempt_at", "leased_until", "lease_token"), OURS),
        deleted=True,
    ),
    Holding(
        model="webhooks.DeliveryAttempt",
        person="delivery__endpoint__owner",
        told=("id", "delivery", "number", "at", "duration_ms", "status_code", "response", "error"),
        deleted=True,
    ),
    texts=(
        Texts(model="webhooks.WebhookDelivery", columns=("body",)),
        Texts(model="webhooks.DeliveryAttempt", columns=("response", "error")),
    ),
    erase=forget_what_others_were_told,
)  # fmt: skip
