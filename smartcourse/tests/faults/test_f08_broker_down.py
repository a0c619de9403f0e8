"""F8: the broker is down under load; no request fails, no fact is lost, and all is done soon after its return."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from smartcourse.tests.faults.checks import check_enrolled, check_once, drained
from smartcourse.tests.faults.conftest import Scale
from smartcourse.tests.faults.load import Load, base_url, enrollments_to_make, failures
from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.waiting import eventually

DRAINED_WITHIN = 30


# Silence costs a request its patience with the broker once, however long it lasts.
SECONDS = {"refused": (5, 60), "silent": (5, 20)}


class TestBrokerDown:
    @pytest.mark.parametrize("outage", ["refused", pytest.param("silent", marks=pytest.mark.full)])
    def test_fails_no_request_and_loses_no_fact(
        self, platform: Platform, scale: Scale, figures: Callable[[str], None], outage: str
    ) -> None:
        platform.start("web1", "worker1", "relay1", "beat1")
        drained(platform, within=60)
        # About one a second, some five hundred tasks in all, which two cores that two installations share can make up
        # for in time; the catalogue is read meanwhile.
        pairs = enrollments_to_make(platform, students=15, courses=scale(2, 10))
        down = scale(*SECONDS[outage])

        with Load(base_url(platform), pairs, pause=scale(0.5, 3.0)) as load:
            eventually(lambda: load.enrolled, 20, "there is no load")
            platform.broker.cut() if outage == "refused" else platform.broker.fall_silent()
            before = len(load.enrolled)
            time.sleep(down)
            meanwhile = len(load.enrolled) - before
            platform.broker.forward()
            back = time.monotonic()
        drained(platform, within=DRAINED_WITHIN)
        seconds = time.monotonic() - back

        assert list(failures(load.failed)) == []
        assert meanwhile > down * 0.7, "there was a load while it was away"
        check_enrolled(platform, load.enrolled)
        check_once(platform)
        figures(
            f"F8 {platform.kind}, {outage} for {down} s: {len(load.answers)} requests, 0 failed, slowest "
            f"{load.slowest:.1f} s, {len(load.enrolled)} enrollments, drained {seconds:.1f} s after its return"
        )
