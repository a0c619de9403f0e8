"""Writing facts."""

from __future__ import annotations

from typing import ClassVar

from django.db import connection, transaction

from smartcourse.events.facts import Fact
from smartcourse.events.models import OutboxFact
from smartcourse.observability.context import current_request_id

CHANNEL = "smartcourse_facts"


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
    OutboxFact.objects.create(
        id=fact.fact_id,
        type=fact.type,
        version=fact.version,
        aggregate=fact.aggregate,
        aggregate_id=fact.aggregate_id,
        sequence=_next_sequence(f"{fact.aggregate}:{fact.aggregate_id}"),
        payload=fact.as_payload(),
        request_id=current_request_id(),
        occurred_at=fact.occurred_at,
    )
    transaction.on_commit(_wake_relay)


def _next_sequence(key: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events_aggregatecounter (key, last) VALUES (%s, 1) "
            "ON CONFLICT (key) DO UPDATE SET last = events_aggregatecounter.last + 1 RETURNING last",
            [key],
        )
        # RETURNING of an upsert always has its row.
        [[last]] = cursor.fetchall()
    return int(last)


def _wake_relay() -> None:
    # After the commit rather than in it: NOTIFY inside a transaction makes all commits of the cluster queue for one
    # lock. A wake-up that is lost costs a second, no more: the relay looks once a second anyway.
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")
