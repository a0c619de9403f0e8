"""Starting processes, and driving them: lease, step, record, retry, compensate."""

from __future__ import annotations

import traceback
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from smartcourse.errors import DomainError
from smartcourse.events.dispatch import enqueue
from smartcourse.events.outbox import publish
from smartcourse.observability.context import current_request_id, request_context
from smartcourse.workflows.definitions import Process, StepContext, process_called
from smartcourse.workflows.events import WorkflowFailed
from smartcourse.workflows.models import LIVE, Run, RunStatus, StepRecord, StepStatus

# A worker that dies leaves its run leased; whoever sweeps after this takes it over.
LEASE = timedelta(seconds=20)
RETRY_AFTER = (timedelta(seconds=10), timedelta(seconds=60), timedelta(seconds=300))
DISPATCH_GRACE = timedelta(seconds=5)

log = structlog.get_logger(__name__)


def start(
    process: str,
    *,
    subject: UUID,
    key: str,
    requested_by: UUID | None = None,
    data: dict[str, Any] | None = None,
) -> Run:
    """Start the process of that name in the open transaction and return its run; the live one of that key, if any.

    Raises:
        LookupError: no process has that name.
    """
    process_called(process)
    live = Run.objects.live().filter(process=process, key=key)
    if run := live.first():
        return run
    try:
        with transaction.atomic():
            run = Run.objects.create(
                process=process,
                subject_id=subject,
                key=key,
                requested_by_id=requested_by,
                data=data or {},
                request_id=current_request_id(),
                next_attempt_at=timezone.now() + DISPATCH_GRACE,
            )
    except IntegrityError:
        # Somebody else started it a moment ago; the constraint let one of us through.
        return live.get()
    enqueue("workflows.advance", queue="default", run_id=str(run.pk))
    return run


def advance(run_id: UUID) -> None:
    """Drive the run as far as it goes: to its end, or to a failure that is retried later."""
    token = _lease(run_id)
    if token is None:
        return
    while _take_step(run_id, token):
        pass


def _lease(run_id: UUID) -> int | None:
    """Take the run for this worker and return the fencing token, or None where another has it or it has ended.

    The time is the database's own, so that a worker with a wrong clock cannot take what is still held.
    """
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lt=Now())
    with transaction.atomic():
        run = (
            Run.objects.live()
            .filter(free, pk=run_id)
            .select_for_update(skip_locked=True, of=("self",))
            .first()
        )
        if run is None:
            return None
        Run.objects.filter(pk=run_id).update(
            lease_token=F("lease_token") + 1,
            lease_expires_at=Now() + LEASE,
            status=RunStatus.RUNNING if run.status == RunStatus.QUEUED else run.status,
        )
        return run.lease_token + 1


def _take_step(run_id: UUID, token: int) -> bool:
    """Do and record the next step, or the next compensation, in one transaction; return whether to go on."""
    try:
        with transaction.atomic():
            run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
            if run.lease_token != token or run.status not in LIVE:
                # Fenced: the lease ran out and somebody else goes on.
                return False
            with request_context(run.request_id):
                going_on = _compensate_step(run) if run.status == RunStatus.COMPENSATING else _do_step(run)
            run.lease_expires_at = timezone.now() + LEASE if going_on else None
            run.save()
            return going_on
    except Exception as error:  # noqa: BLE001 - whatever a step raises is recorded with its run
        return _record_failure(run_id, token, error)


def _context_of(run: Run) -> StepContext:
    return StepContext(run.pk, run.subject_id, dict(run.data), run.requested_by_id, run.error)


def _do_step(run: Run) -> bool:
    steps = process_called(run.process).steps
    step = steps[run.position]
    run.data = {**run.data, **(step.run(_context_of(run)) or {})}
    StepRecord.objects.update_or_create(
        run=run,
        position=run.position,
        defaults={
            "name": step.name, "status": StepStatus.COMPLETED, "attempts": run.attempts + 1,
            "error": "", "at": timezone.now(),
        },
    )  # fmt: skip
    run.position += 1
    run.attempts = 0
    if run.position < len(steps):
        return True
    _finish(run, RunStatus.COMPLETED)
    return False


def _compensate_step(run: Run) -> bool:
    """Undo the step before `position`; at the beginning, close the run as failed."""
    process = process_called(run.process)
    if run.position == 0:
        _close_as_failed(run, process)
        return False
    run.position -= 1
    step = process.steps[run.position]
    if step.compensate:
        step.compensate(_context_of(run))
        run.steps.filter(position=run.position).update(status=StepStatus.COMPENSATED, at=timezone.now())
    run.attempts = 0
    return True


def _close_as_failed(run: Run, process: Process) -> None:
    if process.failed:
        process.failed(_context_of(run))
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
    run.finished_at = timezone.now()


def _record_failure(run_id: UUID, token: int, error: Exception) -> bool:
    """Write the failure down, outside of the transaction that it rolled back; return whether to go on at once.

    A rule that refuses will refuse again, so a domain error is compensated without retries.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
        if run.lease_token != token or run.status not in LIVE:
            return False
        compensating = run.status == RunStatus.COMPENSATING
        run.attempts += 1
        final = isinstance(error, DomainError) or run.attempts > len(RETRY_AFTER)
        log.error(
            "a step failed", process=run.process, run=str(run.pk), attempts=run.attempts, exc_info=error
        )
        if not compensating:
            # What is not a rule's own sentence may tell of our insides: its trace is in the step's record, for staff.
            run.error = (
                error.detail if isinstance(error, DomainError) else "Something went wrong on our side."
            )
            run.error_code = error.code if isinstance(error, DomainError) else "internal_error"
            _record_failed_step(run, error)
        if final and not compensating:
            # The failed step too may have left something outside its transaction: it is undone like the others.
            run.status, run.position, run.attempts = RunStatus.COMPENSATING, run.position + 1, 0
            run.lease_expires_at = timezone.now() + LEASE
        else:
            # What undoes must be done in the end: a compensation is retried without limit, ever more slowly.
            run.next_attempt_at = timezone.now() + RETRY_AFTER[min(run.attempts, len(RETRY_AFTER)) - 1]
            run.lease_expires_at = None
        run.save()
        return final and not compensating


def _record_failed_step(run: Run, error: Exception) -> None:
    StepRecord.objects.update_or_create(
        run=run,
        position=run.position,
        defaults={
            "name": process_called(run.process).steps[run.position].name,
            "status": StepStatus.FAILED,
            "attempts": run.attempts,
            "error": "".join(traceback.format_exception(error))[-4000:],
            "at": timezone.now(),
        },
    )


def sweep_runs(limit: int = 200) -> int:
    """Wake the runs that are due and in nobody's hands (retries, lost messages, dead workers); return how many."""
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lt=Now())
    with transaction.atomic():
        due = list(
            Run.objects.live()
            .filter(free, next_attempt_at__lte=Now())
            .order_by("next_attempt_at")
            .values_list("pk", flat=True)[:limit]
        )
        for run_id in due:
            enqueue("workflows.advance", queue="default", run_id=str(run_id))
        # Pushed ahead, so that the next sweep does not wake them once more while they wait in their queue.
        Run.objects.filter(pk__in=due).update(next_attempt_at=Now() + timedelta(seconds=30))
    return len(due)
