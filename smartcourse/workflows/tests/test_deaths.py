"""Steps that kill their workers, compensations that fail, and what people are shown of it all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from smartcourse.db.identifiers import uuid7
from smartcourse.events.models import OutboxFact
from smartcourse.workflows import definitions
from smartcourse.workflows.definitions import Step, StepContext, define
from smartcourse.workflows.models import Run, RunStatus, StepStatus
from smartcourse.workflows.services import advance, start, sweep_runs

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """As a process that ends: nothing after it runs."""


class Mine:
    """Dig, and blast; the second kills, and the first cannot be filled up again, for as long as they are told so."""

    deadly = True
    flooded = False

    def __init__(self) -> None:
        self.done: list[str] = []

    def dig(self, context: StepContext) -> None:
        self.done.append("dig")

    def fill_up(self, context: StepContext) -> None:
        if self.flooded:
            raise OSError("the shaft is flooded")
        self.done.append("fill up")

    def blast(self, context: StepContext) -> None:
        self.done.append("blast")
        if self.deadly:
            raise Killed


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Mine:
    monkeypatch.setattr(definitions, "_processes", dict(definitions._processes))
    mine = Mine()
    define("mine", Step("dig", mine.dig, mine.fill_up), Step("blast", mine.blast))
    return mine


def work(run: Run, times: int) -> Run:
    """Be one worker after the other; each dead one's lease has run out when the next comes."""
    for _ in range(times):
        Run.objects.filter(pk=run.pk).exclude(lease_expires_at=None).update(lease_expires_at=Now())
        Run.objects.filter(pk=run.pk).update(next_attempt_at=Now())
        try:
            advance(run.pk)
        except Killed:
            continue
    run.refresh_from_db()
    return run


class TestStepThatKillsItsWorker:
    def test_is_taken_up_again(self, mine: Mine) -> None:
        run = work(start("mine", subject=uuid7(), key="a"), 2)
        mine.deadly = False
        run = work(run, 1)
        assert (run.status, run.deaths) == (RunStatus.COMPLETED, 0)
        assert mine.done == ["dig", "blast", "blast", "blast"]

    def test_is_given_up_in_the_end_and_undone(self, mine: Mine) -> None:
        run = work(start("mine", subject=uuid7(), key="a"), 8)
        assert run.status == RunStatus.FAILED
        assert mine.done.count("blast") == 4
        assert mine.done[-1] == "fill up"
        assert "workers died" in run.steps.get(name="blast").trace

    def test_is_due_again_as_soon_as_its_lease_has_run_out(self, mine: Mine) -> None:
        run = work(start("mine", subject=uuid7(), key="a"), 1)
        assert sweep_runs() == 0
        Run.objects.filter(pk=run.pk).update(lease_expires_at=Now())
        assert sweep_runs() == 1


class TestCompensationThatFails:
    def test_alerts_once_and_goes_on_trying(self, mine: Mine, settings: Any) -> None:
        mine.flooded = True
        run = work(start("mine", subject=uuid7(), key="a"), 14)
        assert run.status == RunStatus.COMPENSATING
        assert OutboxFact.objects.filter(type="workflow.stalled").count() == 1
        mine.flooded = False
        assert work(run, 1).status == RunStatus.FAILED


class TestAPI:
    def test_tells_the_starter_every_step_and_nothing_of_our_insides(
        self, mine: Mine, student: Any, client_of: Any
    ) -> None:
        run = start("mine", subject=uuid7(), key="a", requested_by=student.pk)
        waiting = client_of(student).get(f"/api/v1/workflows/{run.pk}").json()
        assert [step["status"] for step in waiting["steps"]] == ["PENDING", "PENDING"]
        told = client_of(student).get(f"/api/v1/workflows/{work(run, 8).pk}").json()
        dig, blast = told["steps"]
        assert (dig["name"], dig["status"], dig["attempts"]) == ("dig", "COMPENSATED", 1)
        assert dig["started_at"] <= dig["finished_at"]
        assert (blast["status"], blast["error"]) == ("FAILED", "Something went wrong on our side.")
        assert set(blast) == {"name", "status", "attempts", "started_at", "finished_at", "error"}


class TestAdmin:
    def test_shows_the_timeline_with_traces_and_what_can_be_done(
        self, mine: Mine, staff: Any, client: Any
    ) -> None:
        client.force_login(staff)
        run = work(start("mine", subject=uuid7(), key="a"), 1)
        page = client.get(reverse("admin:workflows_run_change", args=[run.pk])).content.decode()
        assert "Cancel and undo" in page
        assert "Try again now" not in page
        run = work(run, 8)
        page = client.get(reverse("admin:workflows_run_change", args=[run.pk])).content.decode()
        assert "workers died over it" in page
        assert "Cancel and undo" not in page

    @pytest.mark.parametrize(("seconds", "told"), [(-3, "0.0 s"), (1.26, "1.3 s"), (93784, "1 day, 2:03:04")])
    def test_lists_how_long_each_took(
        self, mine: Mine, staff: Any, client: Any, seconds: float, told: str
    ) -> None:
        client.force_login(staff)
        run = start("mine", subject=uuid7(), key="a")
        assert (
            '<td class="field-took">-</td>'
            in client.get(reverse("admin:workflows_run_changelist")).content.decode()
        )
        Run.objects.filter(pk=run.pk).update(finished_at=run.created_at + timedelta(seconds=seconds))
        shown = client.get(reverse("admin:workflows_run_changelist")).content.decode()
        assert f'<td class="field-took">{told}</td>' in shown

    def test_cancels_and_comes_back_to_the_page(self, mine: Mine, staff: Any, client: Any) -> None:
        client.force_login(staff)
        run = work(start("mine", subject=uuid7(), key="a"), 1)
        form = {"action": "cancel_selected", "_selected_action": str(run.pk), "_from_object": str(run.pk)}
        answer = client.post(reverse("admin:workflows_run_changelist"), form)
        assert answer.url == reverse("admin:workflows_run_change", args=[run.pk])
        run = work(run, 1)
        assert (run.status, run.error) == (RunStatus.CANCELLED, f"Cancelled by {staff.get_full_name()}.")
        assert run.steps.get(name="dig").status == StepStatus.COMPENSATED
        messages = client.get(reverse("admin:workflows_run_changelist")).content.decode()
        assert "is cancelled; what it did is being undone." in messages
        client.post(reverse("admin:workflows_run_changelist"), form)
        assert (
            "The process has ended." in client.get(reverse("admin:workflows_run_changelist")).content.decode()
        )
