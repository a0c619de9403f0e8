"""How many messages wait, asked of real brokers; and that a silent one holds a scrape up for a moment only."""

from __future__ import annotations

import time
from typing import Any

import pytest

from smartcourse.queues.dispatch import send_now
from smartcourse.queues.metrics import read_depths
from smartcourse.queues.tests.conftest import AppOf
from smartcourse.queues.topology import QUEUES
from smartcourse.tests.faults.proxy import Proxy


def depths() -> dict[str, float]:
    [family] = read_depths()
    return {labels[0]: value for labels, value in family.values}


def send(queue: str) -> None:
    assert send_now("queues.probe", queue=queue, arguments={})


class TestDepths:
    def test_of_lists_in_redis(self, app_of: AppOf, redis_url: str) -> None:
        app = app_of(redis_url)
        with app.connection_for_write() as connection:
            [connection.default_channel._purge(name) for name in QUEUES]
            for queue in ("emails", "emails", "reports"):
                send(queue)
            assert depths() == dict.fromkeys(QUEUES, 0.0) | {"emails": 2.0, "reports": 1.0}
            [connection.default_channel._purge(name) for name in QUEUES]

    def test_of_queues_in_rabbitmq_and_of_its_dead(self, app_of: AppOf, rabbitmq_url: str) -> None:
        app = app_of(rabbitmq_url)
        # Before any worker has declared them, there is nothing to count.
        assert depths() == dict.fromkeys((*QUEUES, "dead"), 0.0)
        with app.connection_for_write() as connection:
            for queue in app.conf.task_queues:
                queue(connection.default_channel).declare()
        for queue in ("emails", "emails", "reports"):
            send(queue)
        assert depths() == dict.fromkeys((*QUEUES, "dead"), 0.0) | {"emails": 2.0, "reports": 1.0}

    @pytest.mark.parametrize("outage", ["cut", "fall_silent"])
    def test_of_a_broker_that_is_away_are_not_waited_for(
        self, app_of: AppOf, redis_url: str, outage: str, settings: Any
    ) -> None:
        host, _, rest = redis_url.rpartition("@")[2].partition(":")
        with Proxy((host, int(rest.partition("/")[0]))) as proxy:
            app_of(redis_url.replace(f":{rest.partition('/')[0]}/", f":{proxy.port}/"))
            getattr(proxy, outage)()
            begun = time.monotonic()
            with pytest.raises(Exception, match=r".+"):
                depths()
            assert time.monotonic() - begun < 4 * settings.BROKER_TIMEOUT_SECONDS
