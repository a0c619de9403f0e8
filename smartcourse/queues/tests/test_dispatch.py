"""A message is a hint: sent once the change is committed, and never missed where the broker is gone."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from smartcourse.queues.dispatch import enqueue, publisher, send_now
from smartcourse.queues.publisher import Publisher
from smartcourse.queues.tests.conftest import AppOf
from smartcourse.queues.tests.proxy import Proxy

# amqp leaves the socket of a handshake that nobody answered to the garbage collector, which warns; `proxied` has it
# collected here rather than in some other test.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

# Nobody listens on port 1.
GONE = ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//"]
# What the specification allows a request to wait for the broker.
SECONDS = 2.0


@pytest.fixture(params=["redis", "rabbitmq"])
def proxied(request: pytest.FixtureRequest, app_of: AppOf) -> Iterator[Proxy]:
    """A proxy in front of a real broker, by which `enqueue` sends."""
    url = request.getfixturevalue(f"{request.param}_url")
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "127.0.0.1", parts.port or 5672)
    account, at, _ = parts.netloc.rpartition("@")
    app_of(urlunsplit(parts._replace(netloc=f"{account}{at}127.0.0.1:{proxy.port}")))
    yield proxy
    publisher().close()
    proxy.close()
    gc.collect()


def seconds_of(work: Callable[[], Any]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def send() -> bool:
    return send_now("webhooks.none", queue="webhooks", arguments={})


class TestEnqueue:
    @pytest.mark.django_db(transaction=True)
    def test_sends_after_the_commit_and_nothing_of_what_was_rolled_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[str] = []
        monkeypatch.setattr(current_app, "send_task", lambda name, **_: sent.append(name))
        with transaction.atomic():
            enqueue("events.deliver", queue="events", delivery_id="1")
            assert sent == []
        with transaction.atomic():
            enqueue("events.sweep_deliveries", queue="events")
            transaction.set_rollback(True)
        assert sent == ["events.deliver"]

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("broker", GONE)
    def test_lets_the_request_go_on_without_a_broker(self, broker: str, app_of: AppOf, caplog: Any) -> None:
        app_of(broker)
        waited = seconds_of(lambda: enqueue("events.deliver", queue="events", delivery_id="1"))
        assert "the sweeper will dispatch" in caplog.text
        assert waited < SECONDS

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(
        "error", [OperationalError(), OSError(), RuntimeError(), KeyError(), TimeoutError()]
    )
    def test_raises_nothing_whatever_the_driver_raises(
        self, error: Exception, app_of: AppOf, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        app = app_of("memory://")

        def fail(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(app, "send_task", fail)
        enqueue("events.deliver", queue="events", delivery_id="1")
        assert "the sweeper will dispatch" in caplog.text


@pytest.mark.full
class TestSilentBroker:
    """A broker that takes connections and says nothing: the worst, because only the clock tells."""

    def test_holds_up_the_first_message_briefly_and_the_others_not_at_all(self, proxied: Proxy) -> None:
        assert send()
        proxied.silence()
        waits = [seconds_of(send) for _ in range(200)]
        assert waits[0] < SECONDS
        assert sum(waits[1:]) < 0.5
        print(f"first {waits[0]:.2f} s, 199 others {sum(waits[1:]):.3f} s")  # noqa: T201 - figures for the reader

    def test_holds_up_nobody_who_comes_to_it_anew(self, proxied: Proxy) -> None:
        proxied.silence()
        assert seconds_of(send) < SECONDS
        assert not send()

    def test_is_sent_to_again_once_it_has_rested(self, proxied: Proxy) -> None:
        assert send()
        proxied.silence()
        assert not send()
        proxied.heal()
        assert not send()
        publisher()._rests_until = 0.0
        assert send()

    def test_that_ended_our_connection_costs_no_message(self, proxied: Proxy) -> None:
        assert send()
        proxied.cut()
        assert send()


class TestPublisher:
    def test_keeps_its_connection(self, app_of: AppOf, redis_url: str) -> None:
        mine = Publisher(app_of(redis_url), timeout=1, pause=1)
        for _ in range(3):
            mine.send("webhooks.none", queue="webhooks", arguments={})
        assert len(mine._idle) == 1
        mine.close()
