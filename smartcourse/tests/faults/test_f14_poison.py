"""F14: what one subscriber cannot bear is parked with its cause; others go on; redriving works once it is mended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from smartcourse.tests.faults.checks import check_once, drained
from smartcourse.tests.faults.conftest import Scale
from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.waiting import eventually

CHOKE = "smartcourse.tests.faults.app.receivers.choke"
DELIVERY = """
    SELECT delivery.status, delivery.attempts, delivery.last_error FROM events_delivery delivery
    JOIN events_outboxfact fact ON fact.id = delivery.fact_id
    WHERE fact.aggregate_id = %s AND delivery.subscriber = %s
"""
EFFECTS = "SELECT count(*) FROM faults_effect WHERE subscriber = %s AND thing_id = ANY(%s::uuid[])"


def delivery(platform: Platform, thing: str) -> dict[str, Any]:
    rows = platform.rows(DELIVERY, thing, CHOKE)
    return rows[0] if rows else {"status": "", "attempts": 0, "last_error": ""}


class TestPoisonFact:
    @pytest.mark.parametrize(
        ("mode", "cause", "within"),
        [
            pytest.param("raise", "FaultOrdered: a fault was ordered", 60, id="fails"),
            pytest.param("kill", "WorkerDied", 120, id="kills-its-worker", marks=pytest.mark.full),
        ],
    )
    def test_is_parked_with_its_cause_and_redriven(
        self,
        platform: Platform,
        scale: Scale,
        figures: Callable[[str], None],
        mode: str,
        cause: str,
        within: float,
    ) -> None:
        platform.start("worker1", "relay1", "beat1")
        poisoned, healthy = str(uuid4()), [str(uuid4()) for _ in range(scale(20, 200))]
        platform.break_at("choke.mid", mode, subject=poisoned, times=1000)
        begun = time.monotonic()
        platform.do(
            "publish_things", kind="thing.poisoned", plan=[(thing, 1) for thing in (poisoned, *healthy)]
        )

        eventually(
            lambda: platform.one(EFFECTS, "choke", healthy) == len(healthy),
            within / 2,
            "the others do not go on",
        )
        others = time.monotonic() - begun
        assert delivery(platform, poisoned)["status"] == "PENDING", "the others did not wait for it"
        eventually(lambda: delivery(platform, poisoned)["status"] == "PARKED", within, "it was not parked")
        parked = time.monotonic() - begun
        found = delivery(platform, poisoned)
        assert found["attempts"] == 4, "once, and three times more"
        assert cause in found["last_error"]
        assert platform.one(EFFECTS, "note_poisoned", [poisoned]) == 1, "its other subscriber has heard it"
        assert platform.one(EFFECTS, "choke", [poisoned]) == 0

        self._redrive(platform, poisoned, within=within)
        figures(
            f"F14 {platform.kind}, a fact that {mode}s: {len(healthy)} others handled in {others:.1f} s, "
            f"it parked after {parked:.1f} s, redriven, its effect there once"
        )

    def _redrive(self, platform: Platform, poisoned: str, *, within: float) -> None:
        """Mend the cause, redrive what is parked, and find its effect there once."""
        platform.mend()
        said = json.loads(platform.manage("redrive", "--subscriber", CHOKE, "--json"))
        assert said["redriven"] == 1
        eventually(lambda: platform.one(EFFECTS, "choke", [poisoned]) == 1, within, "redriving did not work")
        drained(platform, within=60)
        check_once(platform)
