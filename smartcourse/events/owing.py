"""Writing down what subscribers are owed: a row for each fact and subscriber, however many by one statement."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from smartcourse.db.identifiers import uuid7
from smartcourse.events.models import OutboxFact
from smartcourse.events.subscriptions import sinks

# An insert of the ORM's spends most of a relay's time on making its text: arrays are one parameter each.
_OWE = """
    INSERT INTO events_delivery (id, fact_id, position, subscriber, status, attempts, dispatches, last_error,
                                 next_attempt_at, created_at)
    SELECT id, fact_id, position, subscriber, 'PENDING', 0, 0, '',
           CASE WHEN in_order THEN NULL ELSE now() + make_interval(secs => %s) END, now()
    FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::text[], %s::boolean[])
         AS owed (id, fact_id, position, subscriber, in_order)
    ON CONFLICT (fact_id, subscriber)
"""
_ONCE = "DO NOTHING"
_AGAIN = """
    DO UPDATE SET status = 'PENDING', attempts = 0, dispatches = 0, next_attempt_at = excluded.next_attempt_at,
                  parked_at = NULL
"""

Owed = tuple[str, UUID]
"""A subscriber, and the id of a delivery to it."""


def owe(debts: Iterable[tuple[OutboxFact, str]], *, due_in: float, again: bool = False) -> list[Owed]:
    """Owe each of these facts to the subscriber beside it, and return the deliveries, those to sinks left out.

    `due_in` seconds the sweeper leaves them to the messages that are sent for them; a sink takes its own in order, and
    gets none. What is owed or handled already stays as it is, or is owed `again` from its first attempt on.
    """
    rows = [(uuid7(), row.pk, row.position, name) for row, name in debts]
    if not rows:
        return []
    in_order = set(sinks())
    ids, facts, positions, names = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            _OWE + (_AGAIN if again else _ONCE),
            [due_in, ids, facts, positions, names, [name in in_order for name in names]],
        )
    return [(name, delivery_id) for delivery_id, _, _, name in rows if name not in in_order]
