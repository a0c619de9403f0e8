"""F12: a slow transaction commits after faster ones; every fact is relayed, in order per aggregate."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.waiting import eventually

HEARD = """
    SELECT heard.thing_id, heard.number, fact.sequence
    FROM faults_signal heard JOIN events_outboxfact fact ON fact.id = heard.fact_id
    WHERE heard.thing_id = ANY(%s::uuid[]) ORDER BY heard.id
"""


@pytest.mark.full
@pytest.mark.parametrize("platform", ["valkey"], indirect=True)
class TestSlowTransaction:
    def test_holds_up_no_other_fact_and_loses_none(
        self, platform: Platform, figures: Callable[[str], None]
    ) -> None:
        platform.start("relay1")
        things = [str(uuid4()) for _ in range(20)]
        written = platform.do(
            "write_at_once",
            things=things,
            writers=16,
            rounds=40,
            slow=2.0,
            seed=12,
        )
        heard = eventually(
            lambda: rows if len(rows := platform.rows(HEARD, things)) >= written else None,
            30,
            "facts are missing",
        )

        assert len(heard) == written, "each was sent once"
        for thing in things:
            sequences = [row["sequence"] for row in heard if str(row["thing_id"]) == thing]
            assert sequences == sorted(sequences), "in the order of the aggregate"
            assert sequences == list(range(1, len(sequences) + 1)), "and without a gap"
        overtaken = platform.one(
            "SELECT count(*) FROM (SELECT position < max(position) OVER (ORDER BY heard.id) AS late "
            "FROM faults_signal heard JOIN events_outboxfact fact ON fact.id = heard.fact_id "
            "WHERE heard.thing_id = ANY(%s::uuid[])) AS sent WHERE late",
            things,
        )
        assert overtaken, "some transaction did commit behind faster ones"
        figures(
            f"F12: {written} facts by concurrent writers, all relayed in order; {overtaken} were overtaken"
        )
