"""F8: the broker is down under load; no request fails, no fact is lost, and all is done soon after its return."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from smartcourse.tests.faults.checks import check_enrolled, check_once, drained
from smartcourse.tests.faults.load import Load, base_url, enrollments_to_make, failures
from smartcourse.tests.faults.platform import Platform

DRAINED_WITHIN = 30
# A look before the outage and one behind it, in seconds.
BEFORE, BEHIND = 1, 1


@pytest.mark.full
class TestBrokerDown:
    @pytest.mark.parametrize("outage", ["refused", "silent"])
    def test_fails_no_request_and_loses_no_fact(
        self, platform: Platform, figures: Callable[[str], None], outage: str
    ) -> None:
        platform.start("web1", "worker1", "relay1", "beat1")
        # As many as two cores, which two installations share, can make up for in time; the catalogue is read meanwhile.
        pairs = enrollments_to_make(platform, students=15, courses=10)
        # Silence costs a request its patience with the broker once, however long it lasts.
        down = 60 if outage == "refused" else 20

        with Load(base_url(platform), pairs, pause=2.0) as load:
            time.sleep(BEFORE)
            platform.broker.cut() if outage == "refused" else platform.broker.fall_silent()
            time.sleep(down)
            platform.broker.forward()
            back = time.monotonic()
            time.sleep(BEHIND)
        drained(platform, within=DRAINED_WITHIN)
        seconds = time.monotonic() - back

        assert list(failures(load.failed)) == []
        assert len(load.enrolled) > down, "there was a load"
        check_enrolled(platform, load.enrolled)
        check_once(platform)
        figures(
            f"F8 {platform.kind}, {outage} for {down} s: {len(load.answers)} requests, 0 failed, slowest "
            f"{load.slowest:.1f} s, {len(load.enrolled)} enrollments, drained {seconds:.1f} s after its return"
        )
