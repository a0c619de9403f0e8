"""What the outbox owes, as operators read it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from smartcourse.observability.readings import Family, one

# Each by a partial index, which holds only what is owed. The oldest is the first in the relay's order.
_OWED = """
    SELECT
        (SELECT count(*) FROM events_outboxfact WHERE relayed_at IS NULL),
        (SELECT greatest(0, extract(epoch FROM clock_timestamp() - occurred_at)) FROM events_outboxfact
            WHERE relayed_at IS NULL ORDER BY position LIMIT 1),
        (SELECT count(*) FROM events_delivery WHERE status = 'PENDING')
"""
_PARKED = "SELECT subscriber, count(*) FROM events_delivery WHERE status = 'PARKED' GROUP BY 1"


def read() -> Iterator[Family]:
    """Read how far the relay is behind, and how much was given up."""
    with connection.cursor() as cursor:
        cursor.execute(_OWED)
        backlog, age, pending = cursor.fetchone()
        cursor.execute(_PARKED)
        parked = cursor.fetchall()
    yield one(
        "smartcourse_outbox_lag_seconds", "Age of the oldest fact that was not relayed yet.", float(age or 0)
    )
    yield one("smartcourse_outbox_backlog", "Facts that were not relayed yet.", backlog)
    yield one("smartcourse_deliveries_pending", "Deliveries that are still owed.", pending)
    yield Family(
        "smartcourse_deliveries_parked", "Deliveries that were given up, until somebody redrives them.",
        [((subscriber,), count) for subscriber, count in parked], labels=("subscriber",),
    )  # fmt: skip
