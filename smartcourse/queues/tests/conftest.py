from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from celery import Celery

from smartcourse.queues import dispatch
from smartcourse.queues.dispatch import publisher
from smartcourse.queues.tests.brokers import virtual_host
from smartcourse.queues.topology import task_queues, transport_options

AppOf = Callable[[str], Celery]
# Where a message ends that kills its worker each time.
DELIVERY_LIMIT = 2


@pytest.fixture(scope="module")
def rabbitmq_url() -> Iterator[str]:
    """The address of an empty virtual host of a real RabbitMQ."""
    yield from virtual_host()


@pytest.fixture
def redis_url() -> str:
    return os.environ["REDIS_URL"]


@pytest.fixture
def app_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppOf]:
    """Return a maker of the application that `enqueue` sends by, for a broker."""
    made: list[Celery] = []

    def make(url: str) -> Celery:
        app = Celery("sender", broker=url, set_as_current=False)
        app.conf.update(
            task_publish_retry=False,
            task_queues=task_queues(url, delivery_limit=DELIVERY_LIMIT),
            broker_transport_options=transport_options(url, timeout=0.8, visibility_timeout=60),
        )
        monkeypatch.setattr(dispatch, "app_or_default", lambda: app)
        made.append(app)
        return app

    yield make
    for app in made:
        publisher().close()
        app.close()
