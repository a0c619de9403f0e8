"""The id of a request, from the edge into the log, the facts that it brings about, and the tasks that follow."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from celery import shared_task

from smartcourse.events.models import OutboxFact
from smartcourse.observability.context import current_request_id
from smartcourse.queues import dispatch
from smartcourse.testing.fixtures import ClientOf

REQUEST = "mine-0123456789"


@shared_task(name="tests.note_request_id", time_limit=10, soft_time_limit=9)
def note_request_id(*, seen: list[str]) -> None:
    seen.append(current_request_id())


@pytest.mark.django_db
class TestRequestId:
    def test_goes_into_log_and_facts(
        self, client_of: ClientOf, instructor: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, "smartcourse.access"):
            client_of(instructor).post(
                "/api/v1/courses", {"title": "Knots"}, headers={"X-Request-Id": REQUEST}
            )
        assert OutboxFact.objects.get(type="course.created").request_id == REQUEST
        assert REQUEST in caplog.text

    def test_of_a_replay_is_its_own(self, client_of: ClientOf, instructor: Any) -> None:
        client = client_of(instructor)
        for number in range(2):
            headers = {"X-Request-Id": f"{REQUEST}-{number}", "Idempotency-Key": "k"}
            assert client.post("/api/v1/courses", {"title": "Knots"}, headers=headers)["X-Request-Id"] == (
                f"{REQUEST}-{number}"
            )
        assert OutboxFact.objects.get(type="course.created").request_id == f"{REQUEST}-0"


class TestTask:
    def test_runs_as_a_part_of_the_request(self) -> None:
        seen: list[str] = []
        dispatch.run_inline(
            "tests.note_request_id", queue="default", arguments={"seen": seen}, request_id=REQUEST
        )
        assert (seen, current_request_id()) == ([REQUEST], "")
