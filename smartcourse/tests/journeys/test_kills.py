"""A fact survives the death of any process: what was promised happens, once, after relay, worker and web died."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import httpx
import pytest

from smartcourse.tests.journeys.conftest import Installation, eventually

pytestmark = [pytest.mark.xdist_group("journey"), pytest.mark.slow, pytest.mark.full]

ADDRESS, PASSWORD = "kim@example.org", "a passphrase for Kim"
# A lease of 20 seconds, a sweep every 5, and the time that the processes take to start again.
PATIENCE = 60


def published_course(teacher: httpx.Client) -> tuple[str, str]:
    """Make and publish a course of one lesson, and return the ids of both."""
    course = teacher.post("courses", json={"title": "Splices"}).json()["id"]
    module = teacher.post(f"courses/{course}/modules", json={"title": "One"}).json()["id"]
    lesson = {"title": "Eye splice", "type": "text", "content": "Three strands."}
    made = teacher.post(f"courses/{course}/modules/{module}/lessons", json=lesson).json()["id"]
    run = teacher.post(f"courses/{course}/publish").json()["workflow_id"]
    eventually(lambda: teacher.get(f"workflows/{run}").json()["status"] == "COMPLETED", 30)
    return course, made


def processes(installation: Installation) -> dict[str, int]:
    """Return the process ids as quickstart tells them now."""
    return dict(json.loads((installation.data / "quickstart.json").read_text())["processes"])


def kill(installation: Installation, *names: str) -> None:
    for name in names:
        os.kill(processes(installation)[name], signal.SIGKILL)


def answer_of(client: httpx.Client, path: str) -> Any:
    """Ask until the web server is there again."""
    try:
        answer = client.get(path)
    except httpx.TransportError:
        return None
    return answer.json() if answer.status_code == 200 else None


def letters(installation: Installation, beginning: str) -> list[str]:
    """Return the subjects of the mails to the learner that begin so."""
    subjects = [str(mail["Subject"]) for mail in installation.mailbox.to(ADDRESS)]
    return [subject for subject in subjects if subject.startswith(beginning)]


class TestKilledProcesses:
    def test_keep_every_promise_once(self, installation: Installation) -> None:
        course, lesson = published_course(installation.signed_in_as("instructor"))
        form = {"email": ADDRESS, "password": PASSWORD, "full_name": "Kim Vandal"}
        assert installation.visitor().post("auth/register", json=form).status_code == 201
        learner = installation.signed_in(ADDRESS, PASSWORD)

        before = processes(installation)
        kill(installation, "relay", "worker")
        enrollment = learner.post("enrollments", json={"course_id": course}).json()["id"]
        eventually(lambda: learner.get(f"enrollments/{enrollment}").json()["status"] == "ACTIVE", PATIENCE)

        assert learner.post(f"lessons/{lesson}/complete").json()["percentage"] == 100
        kill(installation, "relay", "worker", "web")

        def certificates() -> list[Any]:
            return list((answer_of(learner, "certificates") or {}).get("results", []))

        eventually(certificates, PATIENCE)
        eventually(lambda: letters(installation, "Your certificate"), PATIENCE)
        assert len(certificates()) == 1
        assert len(letters(installation, "Your certificate")) == 1
        now = processes(installation)
        assert all(now[name] != before[name] for name in ("relay", "worker", "web")), "each was started again"
