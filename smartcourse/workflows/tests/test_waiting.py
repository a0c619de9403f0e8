"""Runs that wait: for a signal, for a time; and runs that people stop or try again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from smartcourse.db.identifiers import uuid7
from smartcourse.events.models import OutboxFact
from smartcourse.workflows import definitions
from smartcourse.workflows.definitions import Step, StepContext, Wait, define
from smartcourse.workflows.models import Run, RunStatus, StepRecord, StepStatus
from smartcourse.workflows.services import (
    NothingToTry,
    RunEnded,
    advance,
    cancel,
    retry,
    signal,
    start,
    sweep_runs,
)

pytestmark = pytest.mark.django_db


class Ferry:
    """Load, wait for the tide, sail; every deed and its undoing is remembered."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.trouble: Exception | None = None

    def deed(self, name: str) -> Any:
        def run(context: StepContext) -> None:
            self.done.append(name)
            if self.trouble:
                raise self.trouble

        return run


@pytest.fixture
def ferry(monkeypatch: pytest.MonkeyPatch) -> Ferry:
    monkeypatch.setattr(definitions, "_processes", dict(definitions._processes))
    ferry = Ferry()
    define(
        "ferry",
        Step("load", ferry.deed("load"), ferry.deed("unload")),
        Wait(
            "tide",
            signal="tide.turned",
            timeout=timedelta(hours=6),
            when=lambda context: not context.data.get("river"),
        ),
        Wait("rest", timeout=timedelta(minutes=5), when=lambda context: bool(context.data.get("rest"))),
        Step("sail", ferry.deed("sail"), retry_seconds=(7,)),
        failed=ferry.deed("refund"),
        again=lambda run: start("ferry", subject=run.subject_id, key=run.key, data={"river": True}),
    )
    return ferry


def begin(**data: Any) -> Run:
    run = start("ferry", subject=uuid7(), key="tonight", data=data)
    advance(run.pk)
    run.refresh_from_db()
    return run


def go_on(run: Run) -> Run:
    advance(run.pk)
    run.refresh_from_db()
    return run


class TestSignal:
    def test_wakes_the_run_and_leaves_its_data(self, ferry: Ferry) -> None:
        run = begin()
        assert (run.status, ferry.done) == (RunStatus.WAITING, ["load"])
        assert signal("ferry", key="tonight", name="tide.turned", data={"height": 3})
        run = go_on(run)
        assert (run.status, run.data) == (RunStatus.COMPLETED, {"height": 3})
        assert ferry.done == ["load", "sail"]

    def test_that_comes_early_is_kept_until_it_is_waited_for(self, ferry: Ferry) -> None:
        run = start("ferry", subject=uuid7(), key="tonight")
        assert signal("ferry", key="tonight", name="tide.turned")
        assert go_on(run).status == RunStatus.COMPLETED

    def test_that_comes_twice_counts_once(self, ferry: Ferry) -> None:
        run = begin()
        for height in (1, 2):
            signal("ferry", key="tonight", name="tide.turned", data={"height": height})
        assert go_on(run).data == {"height": 1}

    def test_of_another_name_leaves_the_run_waiting(self, ferry: Ferry) -> None:
        run = begin()
        signal("ferry", key="tonight", name="moon.rose")
        assert go_on(run).status == RunStatus.WAITING

    def test_reaches_nobody_where_no_run_is_live(self, ferry: Ferry) -> None:
        assert signal("ferry", key="tonight", name="tide.turned") is False

    def test_whose_message_is_lost_is_found_by_the_sweeper(self, ferry: Ferry) -> None:
        begin()
        assert sweep_runs() == 0
        signal("ferry", key="tonight", name="tide.turned")
        assert sweep_runs() == 1

    def test_that_does_not_come_in_time_undoes_the_run(self, ferry: Ferry) -> None:
        run = begin()
        StepRecord.objects.filter(name="tide").update(deadline_at=Now())
        run = go_on(run)
        assert (run.status, run.error_code) == (RunStatus.FAILED, "timed_out")
        assert ferry.done == ["load", "unload", "refund"]
        assert [step.status for step in run.timeline][:2] == [StepStatus.COMPENSATED, StepStatus.FAILED]

    def test_is_not_waited_for_where_there_is_nothing_to_wait_for(self, ferry: Ferry) -> None:
        assert begin(river=True).status == RunStatus.COMPLETED


class TestTimer:
    def test_goes_on_when_its_time_is_up_and_no_sooner(self, ferry: Ferry) -> None:
        run = begin(river=True, rest=True)
        assert go_on(run).status == RunStatus.WAITING
        StepRecord.objects.filter(name="rest").update(deadline_at=Now())
        assert go_on(run).status == RunStatus.COMPLETED

    def test_wakes_by_the_sweeper(self, ferry: Ferry) -> None:
        run = begin(river=True, rest=True)
        deadline = StepRecord.objects.get(name="rest").deadline_at
        assert run.next_attempt_at == deadline
        assert sweep_runs() == 0
        Run.objects.update(next_attempt_at=Now())
        assert sweep_runs() == 1


class TestCancel:
    def test_undoes_what_was_done_and_raises_no_alarm(self, ferry: Ferry) -> None:
        run = begin()
        cancel(run.pk, reason="Cancelled by Ada.")
        run = go_on(run)
        assert (run.status, run.error) == (RunStatus.CANCELLED, "Cancelled by Ada.")
        assert ferry.done == ["load", "unload", "refund"]
        assert not OutboxFact.objects.filter(type="workflow.failed").exists()

    def test_twice_is_once(self, ferry: Ferry) -> None:
        run = begin()
        cancel(run.pk, reason="Cancelled by Ada.")
        cancel(run.pk, reason="Cancelled by Bob.")
        assert go_on(run).error == "Cancelled by Ada."
        assert ferry.done.count("unload") == 1

    def test_refuses_what_has_ended(self, ferry: Ferry) -> None:
        run = begin(river=True)
        with pytest.raises(RunEnded):
            cancel(run.pk, reason="Too late.")


class TestRetry:
    def test_does_not_wait_for_the_next_attempt(self, ferry: Ferry) -> None:
        ferry.trouble = OSError("no wind")
        run = begin()
        assert sweep_runs() == 0
        assert retry(run.pk) == run
        assert sweep_runs() == 1

    def test_starts_again_what_has_failed(self, ferry: Ferry) -> None:
        run = begin()
        cancel(run.pk, reason="Cancelled by Ada.")
        go_on(run)
        newer = retry(run.pk)
        assert newer.pk != run.pk
        assert go_on(newer).status == RunStatus.COMPLETED

    def test_refuses_what_is_being_done_or_was(self, ferry: Ferry) -> None:
        with pytest.raises(NothingToTry):
            retry(begin().pk)
        Run.objects.update(status=RunStatus.COMPLETED)
        with pytest.raises(NothingToTry):
            retry(Run.objects.get().pk)


class TestRetryInTheBackOffice:
    def press(self, client: Any, run: Run) -> str:
        """Press the button, and return the page that it leads to."""
        pages = reverse("admin:workflows_run_changelist")
        client.post(pages, {"action": "retry_selected", "_selected_action": str(run.pk)})
        return str(client.get(pages).content.decode())

    def test_does_not_wait_for_the_next_attempt(self, ferry: Ferry, staff: Any, client: Any) -> None:
        client.force_login(staff)
        ferry.trouble = OSError("fog")
        run = begin(river=True)
        ferry.trouble = None
        assert "is tried again now." in self.press(client, run)
        assert go_on(run).status == RunStatus.COMPLETED

    def test_starts_again_what_has_failed(self, ferry: Ferry, staff: Any, client: Any) -> None:
        client.force_login(staff)
        run = begin()
        cancel(run.pk, reason="Cancelled by Ada.")
        go_on(run)
        page = self.press(client, run)
        newer = Run.objects.exclude(pk=run.pk).get()
        assert f"is started again, as {newer.pk}." in page
        assert go_on(newer).status == RunStatus.COMPLETED

    def test_says_that_there_is_nothing_to_try(self, ferry: Ferry, staff: Any, client: Any) -> None:
        client.force_login(staff)
        run = begin()
        assert "There is nothing to try again." in self.press(client, run)
        assert Run.objects.get().status == RunStatus.WAITING


class TestPatience:
    def test_may_be_a_steps_own(self, ferry: Ferry) -> None:
        run = begin()
        signal("ferry", key="tonight", name="tide.turned")
        ferry.trouble = OSError("no wind")
        run = go_on(run)
        assert 5 < (run.next_attempt_at - run.updated_at).total_seconds() < 9
        assert run.status == RunStatus.RUNNING
        ferry.trouble = None
        assert go_on(run).status == RunStatus.COMPLETED
