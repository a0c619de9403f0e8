"""Driving a run: lease, step, record; wait, retry, undo.

A worker leases the run for a while, under a token that rises. Each step is one transaction that locks the run, checks
the token, does the deed and records it: the effect of a step and the knowledge of it are committed together. A worker
that is killed loses its lock at once and its lease soon; one that is stopped in the middle of a step is ended by the
database, which hears nothing of it for too long, so that it cannot go on where somebody else went on before it.
"""

from __future__ import annotations

import time
import traceback
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from smartcourse.db.clock import ever_later, later
from smartcourse.errors import DomainError, RuleViolated
from smartcourse.events.outbox import publish
from smartcourse.observability.context import request_context
from smartcourse.queues.dispatch import enqueue
from smartcourse.workflows.definitions import Step, StepContext, Wait, process_called
from smartcourse.workflows.events import WorkflowFailed, WorkflowStalled
from smartcourse.workflows.models import Run, RunStatus, StepRecord, StepStatus

SWEEP_LIMIT = 500
CANCELLED = "cancelled"
TRACE_LENGTH = 4000

log = structlog.get_logger(__name__)


class SignalMissed(RuleViolated):
    """What the process waited for did not come in time."""

    code = "timed_out"
    message = "What was waited for did not come in time."


class WorkersDied(Exception):
    """Worker after worker took the step up, and none came back."""


def wake(run: Run) -> None:
    """Have a worker look at the run, once the open transaction has committed."""
    enqueue("workflows.advance", queue=process_called(run.process).queue, run_id=str(run.pk))


def advance(run_id: UUID) -> None:
    """Drive the run as far as it goes: to its end, to where it waits, or to a failure that is retried later."""
    token = _lease(run_id)
    if token is None:
        return
    while take_step(run_id, token):
        pass


def _lease(run_id: UUID) -> int | None:
    """Take the run for this worker and return the fencing token, or None where another has it or it has ended."""
    with transaction.atomic():
        run = (
            Run.objects.live()
            .free()
            .filter(pk=run_id)
            .select_for_update(skip_locked=True, of=("self",))
            .first()
        )
        if run is None:
            return None
        run.lease_token += 1
        # A lease is given back when its holder stops; one that ran out is that of a worker which died.
        run.deaths += run.lease_expires_at is not None
        run.lease_expires_at = later(settings.WORKFLOW_LEASE_SECONDS)
        # Should this worker die, the run is due as soon as its lease has run out.
        run.next_attempt_at = run.step_started_at = Now()
        run.dispatches = 0
        if run.status in (RunStatus.QUEUED, RunStatus.WAITING):
            run.status = RunStatus.RUNNING
        token = run.lease_token
        run.save()
    if run.deaths > len(settings.WORKFLOW_RETRY_SECONDS):
        going_on = record_failure(run_id, token, WorkersDied(f"{run.deaths} workers died over it."))
        return token if going_on else None
    return token


def take_step(run_id: UUID, token: int) -> bool:
    """Do and record the next step, or undo the last one, in one transaction; return whether to go on.

    Another token than the run's own does nothing: the lease ran out, and somebody else goes on.
    """
    try:
        with transaction.atomic():
            run = _locked(run_id, token)
            if run is None:
                return False
            _let_the_database_end_us(run)
            with request_context(run.request_id):
                going_on = _take(run)
            run.lease_expires_at = later(settings.WORKFLOW_LEASE_SECONDS) if going_on else None
            run.step_started_at = Now()
            run.deaths = 0
            run.save()
            return going_on
    except Exception as error:  # noqa: BLE001 - whatever a step raises is recorded with its run
        return record_failure(run_id, token, error)


def _take(run: Run) -> bool:
    """Do or undo a step, and leave one timed line in the log, as a request does."""
    deed, position, started = run.status, run.position, time.perf_counter()
    going_on = _undo_step(run) if run.status == RunStatus.COMPENSATING else _do_step(run)
    log.info(
        "step",
        process=run.process,
        run=str(run.pk),
        position=position,
        taken=deed.lower(),
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )
    return going_on


def _locked(run_id: UUID, token: int) -> Run | None:
    run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
    return run if run.lease_token == token and run.is_live else None


def _let_the_database_end_us(run: Run) -> None:
    """Bound how long this transaction may be silent; a process that was stopped in it must not keep the run."""
    silence = timedelta(seconds=settings.WORKFLOW_LEASE_SECONDS)
    if run.status != RunStatus.COMPENSATING:
        silence = _next_step(run).silence or silence
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET LOCAL idle_in_transaction_session_timeout = {int(silence.total_seconds() * 1000)}"
        )


def _next_step(run: Run) -> Step:
    return process_called(run.process).steps[run.position]


def _context_of(run: Run) -> StepContext:
    return StepContext(run.pk, run.subject_id, dict(run.data), run.requested_by_id, run.error)


def _do_step(run: Run) -> bool:
    step = _next_step(run)
    # What failed before is over once it succeeds.
    run.error, run.error_code = "", ""
    if isinstance(step, Wait) and step.when(_context_of(run)) and not _has_come(run, step):
        return False
    if not isinstance(step, Wait) or step.when(_context_of(run)):
        run.data = {**run.data, **(step.run(_context_of(run)) or {})}
    _record(run, step, StepStatus.COMPLETED, attempts=run.attempts + 1)
    run.position += 1
    run.attempts = 0
    if run.position < len(process_called(run.process).steps):
        return True
    _finish(run, RunStatus.COMPLETED)
    return False


def _has_come(run: Run, step: Wait) -> bool:
    """Tell whether the waiting is over; if not, have the run sleep until its signal or its deadline.

    Raises:
        SignalMissed: the deadline has passed without the signal.
    """
    record, _ = StepRecord.objects.get_or_create(
        run=run,
        position=run.position,
        defaults={
            "name": step.name, "status": StepStatus.WAITING, "attempts": 0, "started_at": Now(),
            "deadline_at": later(step.timeout.total_seconds()),
        },
    )  # fmt: skip
    if step.signal and (signal := run.signals.filter(name=step.signal).first()):
        run.data = {**run.data, **signal.data}
        return True
    if StepRecord.objects.filter(pk=record.pk, deadline_at__lte=Now()).exists():
        if step.signal:
            raise SignalMissed(f"Nothing was heard of “{step.signal}” in time.")
        return True
    record.refresh_from_db()
    run.status = RunStatus.WAITING
    run.next_attempt_at = record.deadline_at or Now()
    return False


def _undo_step(run: Run) -> bool:
    """Undo the step before `position`; at the beginning, close the run."""
    if run.position == 0:
        _close(run)
        return False
    run.position -= 1
    step = _next_step(run)
    if step.compensate:
        step.compensate(_context_of(run))
        # The one that failed still says so.
        run.steps.filter(position=run.position).exclude(status=StepStatus.FAILED).update(
            status=StepStatus.COMPENSATED, finished_at=Now()
        )
    run.attempts = 0
    return True


def _close(run: Run) -> None:
    process = process_called(run.process)
    if process.failed:
        process.failed(_context_of(run))
    if run.error_code == CANCELLED:
        _finish(run, RunStatus.CANCELLED)
        return
    _finish(run, RunStatus.FAILED)
    publish(
        WorkflowFailed(
            workflow_id=run.pk,
            process=run.process,
            subject_id=run.subject_id,
            error_code=run.error_code,
            error=run.error,
        )
    )


def _finish(run: Run, status: RunStatus) -> None:
    run.status = status
    run.finished_at = Now()


def record_failure(run_id: UUID, token: int, error: Exception) -> bool:
    """Write the failure down, outside of the transaction that it rolled back; return whether to go on at once.

    A rule that refuses will refuse again, so a domain error is undone without retries.
    """
    with transaction.atomic():
        run = _locked(run_id, token)
        if run is None:
            return False
        run.attempts += 1
        run.deaths = 0
        log.error(
            "a step failed", process=run.process, run=str(run.pk), attempts=run.attempts, exc_info=error
        )
        undoing = run.status == RunStatus.COMPENSATING
        going_on = _put_off_undoing(run, error) if undoing else _put_off_or_undo(run, error)
        run.lease_expires_at = later(settings.WORKFLOW_LEASE_SECONDS) if going_on else None
        run.save()
        return going_on


def _put_off_or_undo(run: Run, error: Exception) -> bool:
    refused = isinstance(error, DomainError)
    # What is not a rule's own sentence may tell of our insides: that is in the step's trace, for staff.
    run.error = error.detail if isinstance(error, DomainError) else "Something went wrong on our side."
    run.error_code = error.code if isinstance(error, DomainError) else "internal_error"
    step = _next_step(run)
    _record(run, step, StepStatus.FAILED, attempts=run.attempts, error=run.error, trace=_trace_of(error))
    patience = settings.WORKFLOW_RETRY_SECONDS if step.retry_seconds is None else step.retry_seconds
    if refused or isinstance(error, WorkersDied) or run.attempts > len(patience):
        run.undo_from(run.position)
        return True
    run.next_attempt_at = later(patience[run.attempts - 1])
    return False


def _put_off_undoing(run: Run, error: Exception) -> bool:
    """What undoes must be done in the end: it is retried without limit, ever more slowly, and staff are told once."""
    patience = settings.WORKFLOW_RETRY_SECONDS or (10.0,)
    if run.attempts == len(patience) + 1:
        publish(
            WorkflowStalled(
                workflow_id=run.pk,
                process=run.process,
                subject_id=run.subject_id,
                error=_trace_of(error)[-300:],
            )
        )
    run.next_attempt_at = later(patience[min(run.attempts, len(patience)) - 1])
    return False


def _trace_of(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-TRACE_LENGTH:]


def _record(
    run: Run, step: Step, status: StepStatus, *, attempts: int, error: str = "", trace: str = ""
) -> None:
    outcome = {
        "name": step.name, "status": status, "attempts": attempts, "error": error, "trace": trace, "finished_at": Now(),
    }  # fmt: skip
    StepRecord.objects.update_or_create(
        run=run,
        position=run.position,
        defaults=outcome,
        create_defaults={**outcome, "started_at": run.step_started_at},
    )


def sweep_runs() -> int:
    """Wake the runs that are due and in nobody's hands (retries, lost messages, dead workers); return how many."""
    with transaction.atomic():
        due = list(
            Run.objects.live()
            .free()
            .filter(next_attempt_at__lte=Now())
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("next_attempt_at")[:SWEEP_LIMIT]
        )
        for run in due:
            wake(run)
        # Put off, so that the next sweep does not wake them once more while they wait in their queue.
        Run.objects.filter(pk__in=[run.pk for run in due]).update(
            next_attempt_at=ever_later(2 * settings.WORKFLOW_REDISPATCH_SECONDS, sent="dispatches"),
            dispatches=F("dispatches") + 1,
        )
    return len(due)
