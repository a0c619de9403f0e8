"""The subscriber: its effect is one row, written when it starts."""

from django.db import connection

from benchmarks.lamps.events import LampLit
from smartcourse.events.subscriptions import subscribe

EFFECT = "INSERT INTO lamps_effect (fact_id, started_at) VALUES (%s, clock_timestamp())"


@subscribe(LampLit)
def note(fact: LampLit) -> None:
    with connection.cursor() as cursor:
        cursor.execute(EFFECT, [fact.fact_id])
