"""A message is a hint: sent once the change is committed, and never missed where the broker is gone."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery, current_app
from django.db import transaction

from smartcourse.events.dispatch import enqueue

# Nobody listens on port 1.
GONE = ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//"]


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
    def test_lets_the_request_go_on_without_a_broker(
        self, broker: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        app = Celery("without", broker=broker, set_as_current=False)
        app.conf.update(task_publish_retry=False, broker_connection_timeout=1)
        monkeypatch.setattr("smartcourse.events.dispatch.current_app", app)
        enqueue("events.deliver", queue="events", delivery_id="1")
        assert "the sweeper will dispatch" in caplog.text
