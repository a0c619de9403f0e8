"""Runs: started once, driven step by step, resumed, retried, compensated."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import UserFactory
from smartcourse.db.identifiers import uuid7
from smartcourse.errors import RuleViolated
from smartcourse.events.models import OutboxFact
from smartcourse.workflows import definitions
from smartcourse.workflows.definitions import Step, StepContext, define
from smartcourse.workflows.engine import record_failure, take_step
from smartcourse.workflows.models import Run, RunStatus, StepStatus
from smartcourse.workflows.services import advance, start, sweep_runs

LEASE = timedelta(seconds=settings.WORKFLOW_LEASE_SECONDS)
RETRY_SECONDS = settings.WORKFLOW_RETRY_SECONDS

Deed = Callable[[StepContext], Any]


class Bakery:
    """A process of the test's own: mix, bake, sell; every deed and its undoing is remembered."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.trouble: dict[str, Exception] = {}

    def deed(self, name: str) -> Deed:
        def run(context: StepContext) -> dict[str, Any]:
            self.done.append(name)
            UserFactory(email=f"{name}-{len(self.done)}@example.org")
            if name in self.trouble:
                raise self.trouble[name]
            return {name: True}

        return run

    def undo(self, name: str) -> Deed:
        def run(context: StepContext) -> None:
            self.done.append(f"undo {name}")

        return run


@pytest.fixture
def bakery(monkeypatch: pytest.MonkeyPatch) -> Bakery:
    monkeypatch.setattr(definitions, "_processes", dict(definitions._processes))
    bakery = Bakery()
    names = ("mix", "bake", "sell")
    define(
        "bakery",
        *(Step(name, bakery.deed(name), bakery.undo(name)) for name in names),
        failed=bakery.undo("all"),
    )
    return bakery


def begin() -> Run:
    return start("bakery", subject=uuid7(), key="bread")


def make_due(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(next_attempt_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
class TestStart:
    def test_refuses_a_process_that_nobody_defined(self) -> None:
        with pytest.raises(LookupError):
            start("nonsense", subject=uuid7(), key="x")

    def test_gives_the_live_run_of_the_same_key(self, bakery: Bakery) -> None:
        assert begin() == begin()

    def test_gives_a_new_run_once_the_last_one_ended(self, bakery: Bakery) -> None:
        first = begin()
        advance(first.pk)
        assert begin() != first


@pytest.mark.django_db
class TestAdvance:
    def test_goes_through_the_steps_and_keeps_what_they_returned(self, bakery: Bakery) -> None:
        run = begin()
        advance(run.pk)
        run.refresh_from_db()
        assert run.status == RunStatus.COMPLETED
        assert run.data == {"mix": True, "bake": True, "sell": True}
        assert [step.name for step in run.steps.all()] == ["mix", "bake", "sell"]

    def test_does_nothing_to_a_run_that_ended(self, bakery: Bakery) -> None:
        run = begin()
        advance(run.pk)
        advance(run.pk)
        assert bakery.done == ["mix", "bake", "sell"]

    def test_keeps_nothing_of_a_step_that_failed_and_waits(self, bakery: Bakery) -> None:
        run = begin()
        bakery.trouble["bake"] = OSError("the oven is cold")
        advance(run.pk)
        run.refresh_from_db()
        assert (run.status, run.position, run.attempts) == (RunStatus.RUNNING, 1, 1)
        assert run.lease_expires_at is None
        assert run.next_attempt_at > timezone.now() + timedelta(seconds=RETRY_SECONDS[0] - 2)
        assert not User.objects.filter(email__startswith="bake").exists()
        assert "oven" not in run.error, "what is told to the starter holds nothing of our insides"
        assert "the oven is cold" in run.steps.get(name="bake").trace

    def test_goes_on_where_it_stood(self, bakery: Bakery) -> None:
        run = begin()
        bakery.trouble["bake"] = OSError("the oven is cold")
        advance(run.pk)
        bakery.trouble.clear()
        advance(run.pk)
        run.refresh_from_db()
        assert run.status == RunStatus.COMPLETED
        assert bakery.done == ["mix", "bake", "bake", "sell"]
        assert run.steps.get(name="bake").attempts == 2

    def test_undoes_everything_backwards_when_retries_end(self, bakery: Bakery) -> None:
        run = begin()
        bakery.trouble["bake"] = OSError("the oven is cold")
        for _ in range(len(RETRY_SECONDS) + 1):
            advance(run.pk)
        run.refresh_from_db()
        assert run.status == RunStatus.FAILED
        assert bakery.done == ["mix", *["bake"] * 4, "undo bake", "undo mix", "undo all"]
        assert run.steps.get(name="mix").status == StepStatus.COMPENSATED
        assert OutboxFact.objects.get(type="workflow.failed").payload["process"] == "bakery"

    def test_does_not_retry_what_a_rule_refused(self, bakery: Bakery) -> None:
        run = begin()
        bakery.trouble["mix"] = RuleViolated("No flour.")
        advance(run.pk)
        run.refresh_from_db()
        assert (run.status, run.error, run.error_code) == (RunStatus.FAILED, "No flour.", "rule_violated")


@pytest.mark.django_db
class TestLease:
    def test_a_held_run_is_left_alone(self, bakery: Bakery) -> None:
        run = begin()
        Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() + LEASE, lease_token=1)
        advance(run.pk)
        assert bakery.done == []

    def test_a_run_whose_holder_died_is_taken_over(self, bakery: Bakery) -> None:
        run = begin()
        past = timezone.now() - timedelta(seconds=1)
        Run.objects.filter(pk=run.pk).update(lease_expires_at=past, lease_token=1, status=RunStatus.RUNNING)
        advance(run.pk)
        run.refresh_from_db()
        assert (run.status, run.lease_token) == (RunStatus.COMPLETED, 2)

    def test_a_holder_that_was_overtaken_does_nothing_more(self, bakery: Bakery) -> None:
        run = begin()
        Run.objects.filter(pk=run.pk).update(lease_token=7, status=RunStatus.RUNNING)
        assert take_step(run.pk, token=6) is False
        assert record_failure(run.pk, 6, OSError("late news")) is False
        run.refresh_from_db()
        assert (bakery.done, run.attempts, run.position) == ([], 0, 0)


@pytest.mark.django_db(transaction=True)
class TestTwoWorkers:
    def test_do_each_step_once(self, bakery: Bakery) -> None:
        run = begin()

        def work() -> None:
            advance(run.pk)
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert bakery.done == ["mix", "bake", "sell"]


@pytest.mark.django_db
class TestSweep:
    def test_wakes_what_is_due_once_and_leaves_the_rest(
        self, bakery: Bakery, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[UUID] = []
        monkeypatch.setattr(
            "smartcourse.workflows.engine.enqueue", lambda task, *, queue, run_id: sent.append(UUID(run_id))
        )
        run = begin()
        sent.clear()
        assert sweep_runs() == 0
        make_due(run)
        assert (sweep_runs(), sweep_runs()) == (1, 0)
        assert sent == [run.pk]
