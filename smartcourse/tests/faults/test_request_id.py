"""One request, from the edge through facts, tasks and a process of several steps: one id tells all of it.

No fault, but told by the logs of real processes.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from smartcourse.db.identifiers import uuid7
from smartcourse.tests.faults.checks import drained
from smartcourse.tests.faults.load import TIMEOUT, base_url, enrollments_to_make
from smartcourse.tests.faults.platform import Platform


def enroll(platform: Platform, request_id: str) -> httpx.Response:
    [(token, course)] = enrollments_to_make(platform, students=1, courses=1)
    return httpx.post(
        f"{base_url(platform)}/api/v1/enrollments", json={"course_id": course}, timeout=TIMEOUT,
        headers={"Authorization": f"Bearer {token}", "X-Request-Id": request_id},
    )  # fmt: skip


def lines(platform: Platform, process: str, request_id: str) -> list[str]:
    """Return what the process logged of that request."""
    said = platform.place.folder.log(process).read_text(errors="replace")
    return [line for line in said.splitlines() if request_id in line]


def logged(found: list[str], event: str) -> list[str]:
    return [line for line in found if re.search(rf"\b{event}\b", line)]


class TestRequestId:
    def test_is_in_every_line_fact_and_step_that_a_request_leads_to(self, platform: Platform) -> None:
        platform.start("web1", "worker1", "relay1", "beat1")
        request_id = f"told-by-a-client-{uuid7()}"
        answer = enroll(platform, request_id)
        assert (answer.status_code, answer.headers["X-Request-Id"]) == (201, request_id)
        drained(platform, within=30)

        enrollment: dict[str, Any] = answer.json()
        facts = platform.rows(
            "SELECT type, request_id FROM events_outboxfact WHERE aggregate_id = %s", enrollment["id"]
        )
        assert {fact["type"] for fact in facts} >= {"enrollment.created", "enrollment.activated"}
        # The second one was published by a worker, in a step of the process that the first one began.
        assert {fact["request_id"] for fact in facts} == {request_id}
        run = "SELECT request_id FROM workflows_run WHERE id = %s"
        assert platform.one(run, enrollment["workflow_id"]) == request_id

        assert len(logged(lines(platform, "web1", request_id), "request")) == 1
        done = lines(platform, "worker1", request_id)
        assert len(logged(done, "step")) >= 3, json.dumps(done)
        assert any("enrollment.activated" in line for line in logged(done, "delivery"))

    def test_of_a_refusal_is_in_its_problem(self, platform: Platform) -> None:
        platform.start("web1")
        request_id = f"refused-{uuid7()}"
        answer = httpx.get(
            f"{base_url(platform)}/api/v1/courses/none", headers={"X-Request-Id": request_id}, timeout=TIMEOUT
        )
        assert (answer.status_code, answer.json()["request_id"]) == (404, request_id)
        assert len(lines(platform, "web1", request_id)) == 1
