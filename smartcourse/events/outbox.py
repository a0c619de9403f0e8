"""Writing facts."""

from __future__ import annotations

import json
from typing import ClassVar

from django.db import connection, transaction

from smartcourse.events.facts import Fact
from smartcourse.observability.context import current_request_id
from smartcourse.queues.dispatch import inline, run_inline

CHANNEL = "smartcourse_facts"
"""The relay listens to it."""

# One round trip. The upsert locks the aggregate's counter until commit, and the row's position is drawn after that: so
# the facts of one aggregate have sequence, position and commit in the same order.
_WRITE = """
    WITH counter AS (
        INSERT INTO events_aggregatecounter (key, last) VALUES (%s, 1)
        ON CONFLICT (key) DO UPDATE SET last = events_aggregatecounter.last + 1 RETURNING last
    )
    INSERT INTO events_outboxfact
        (id, type, version, aggregate, aggregate_id, sequence, payload, request_id, occurred_at)
    SELECT %s, %s, %s, %s, %s, counter.last, %s::jsonb, %s, %s FROM counter
"""


class PublishedOutsideTransaction(RuntimeError):
    """A fact was published where no transaction would write it together with its change."""

    message: ClassVar[str] = "publish() needs the transaction of the change that the fact tells of"


def publish(fact: Fact) -> None:
    """Write the fact to the outbox, in the transaction that is open.

    Raises:
        PublishedOutsideTransaction: none is open.
    """
    if not connection.in_atomic_block:
        raise PublishedOutsideTransaction(PublishedOutsideTransaction.message)
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            [
                f"{fact.aggregate}:{fact.aggregate_id}", fact.fact_id, fact.type, fact.version, fact.aggregate,
                fact.aggregate_id, json.dumps(fact.as_payload()), current_request_id(), fact.occurred_at,
            ],
        )  # fmt: skip
    # Robust: the fact is committed by then, so a connection that breaks just now must not fail who published.
    transaction.on_commit(_wake_relay, robust=True)


def _wake_relay() -> None:
    if inline():
        run_inline("events.relay", queue="events", arguments={})
        return
    # After the commit rather than in it: NOTIFY inside a transaction makes all commits of the cluster queue for one
    # lock. A wake-up that is lost costs a second, no more: the relay looks once a second anyway.
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")
