"""The envelope of a fact outside: CloudEvents 1.0.2, as JSON, in structured content mode."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from django.conf import settings

from smartcourse.events.models import OutboxFact

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
"""Tells a consumer that key and value are a CloudEvent in structured mode (Kafka protocol binding §3.3.1)."""
SEQUENCE_DIGITS = 19
"""As many as the largest sequence number has: values of `sequence` must sort as text (sequence extension)."""


def cloud_event(fact: OutboxFact) -> dict[str, Any]:
    """Return the fact as a CloudEvent (spec 1.0.2; extensions `sequence`, `partitionkey`, and our `requestid`).

    The version is part of `type`, because it changes with what old readers cannot read, and so must the type (primer,
    "Versioning of CloudEvents"); `dataschema` is the `$id` of a file under docs/events. `sequence` counts the facts of
    one `subject`. A time has the form of RFC 3339.
    """
    event = {
        "specversion": "1.0",
        "id": str(fact.pk),
        "source": settings.PUBLIC_URL or "/smartcourse",
        "type": f"smartcourse.{fact.type}.v{fact.version}",
        "subject": str(fact.aggregate_id),
        "time": fact.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": f"urn:smartcourse:fact:{fact.type}:v{fact.version}",
        "sequence": f"{fact.sequence:0{SEQUENCE_DIGITS}}",
        "partitionkey": str(fact.aggregate_id),
        "data": fact.payload,
    }
    if fact.request_id:
        # An attribute without a value is left out, not empty (spec §3.1).
        event["requestid"] = fact.request_id
    return event


def encode(fact: OutboxFact) -> bytes:
    """Return the CloudEvent of the fact as the value of a message."""
    return json.dumps(cloud_event(fact), ensure_ascii=False, separators=(",", ":")).encode()
