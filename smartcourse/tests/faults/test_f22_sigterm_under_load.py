"""F22: processes are asked to end under load; they finish or hand back what they have, and no client sees an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smartcourse.tests.faults.checks import check_enrolled, check_once, drained
from smartcourse.tests.faults.load import Load, enrollments_to_make, failures
from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.proxy import Balancer
from smartcourse.tests.faults.waiting import eventually

# What Docker and Kubernetes give before they kill is 10 and 30 seconds.
ENDED_WITHIN = 10
ROUNDS = 3


# Measured by what is left when it ends: two installations at once would leave each other's.
@pytest.mark.alone
@pytest.mark.full
class TestSigterm:
    def test_under_load_fails_no_request_and_loses_no_effect(
        self, platform: Platform, figures: Callable[[str], None]
    ) -> None:
        platform.start("web1", "web2", "worker1", "relay1", "beat1")
        drained(platform, within=60)
        pairs = enrollments_to_make(platform, students=50, courses=20)
        ended: dict[str, float] = {}

        webs = [("127.0.0.1", platform.ports[name]) for name in ("web1", "web2")]
        with (
            Balancer(*webs) as door,
            Load(f"http://127.0.0.1:{door.port}", pairs, pause=1.2) as load,
        ):
            eventually(lambda: load.enrolled, 20, "there is no load")
            # As a rolling release does: one ends, its successor is ready, then the next one.
            for name in ["web1", "web2", "worker1", "relay1"] * ROUNDS:
                before = len(load.enrolled)
                took = platform.terminate(name, within=ENDED_WITHIN)[name]
                ended[name] = max(ended.get(name, 0), took)
                platform.start(name)
                assert len(load.enrolled) > before, "there was a load meanwhile"
        assert list(failures(load.failed)) == []
        left = drained(platform, within=60)

        check_enrolled(platform, load.enrolled)
        check_once(platform)
        platform.kill("web2")
        times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in ended.items())
        figures(
            f"F22 {platform.kind}: {len(load.answers)} requests, 0 failed, slowest {load.slowest:.1f} s; ended in at "
            f"most {times}; drained {left:.1f} s after"
        )
