"""What others may ask of the engine: start a process, signal it, cancel it, try it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from smartcourse.db.clock import later
from smartcourse.errors import Conflict
from smartcourse.observability.context import current_request_id
from smartcourse.workflows.definitions import process_called
from smartcourse.workflows.engine import CANCELLED, advance, sweep_runs, wake
from smartcourse.workflows.models import Run, RunStatus, Signal

__all__ = [
    "NothingToTry", "RunEnded", "advance", "can_cancel", "can_retry", "cancel", "drive", "retry", "signal", "start",
    "sweep_runs",
]  # fmt: skip


class RunEnded(Conflict):
    """The process has ended, so there is nothing to cancel."""

    code = "invalid_state"
    message = "The process has ended."


class NothingToTry(Conflict):
    """The process is under way, has succeeded, or is one that cannot be started again from here."""

    code = "invalid_state"
    message = "There is nothing to try again."


def can_cancel(run: Run) -> bool:
    """Tell whether the run is under way, and not being undone already."""
    return run.is_live and run.status != RunStatus.COMPENSATING


def can_retry(run: Run) -> bool:
    """Tell whether the run waits for its next attempt, or has failed and can be started again from here."""
    if run.is_live:
        return run.attempts > 0
    return (
        run.status in (RunStatus.FAILED, RunStatus.CANCELLED)
        and process_called(run.process).again is not None
    )


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
                next_attempt_at=later(settings.WORKFLOW_REDISPATCH_SECONDS),
            )
    except IntegrityError:
        # Somebody else started it a moment ago; the constraint let one of us through.
        return live.get()
    wake(run)
    return run


def drive(run: Run) -> Run:
    """Take a run to its end here and now, its retries without their pauses, and return it as it is then.

    For commands, in the transaction that started it: a worker beside us finds the run when it is over, and killed half
    way, it never was. A run that somebody else holds, or that waits, is left as it is.
    """
    # Each step of what fails may be tried as often as this, and then it is undone.
    for _ in range(2 * (len(settings.WORKFLOW_RETRY_SECONDS) + 1)):
        advance(run.pk)
        run.refresh_from_db()
        if not run.is_live:
            break
    return run


def signal(process: str, *, key: str, name: str, data: dict[str, Any] | None = None) -> bool:
    """Tell the live run of that key what it waits for, or will; return whether there is such a run.

    `data` (JSON values) is merged into the run's when it goes on. The same signal twice counts once.
    """
    with transaction.atomic():
        # Locked, so that a step which is just deciding whether to wait either sees the signal or is woken by it.
        run = Run.objects.live().filter(process=process, key=key).select_for_update(of=("self",)).first()
        if run is None:
            return False
        Signal.objects.get_or_create(run=run, name=name, defaults={"data": data or {}})
        Run.objects.filter(pk=run.pk).update(next_attempt_at=Now())
        wake(run)
    return True


def cancel(run_id: UUID, *, reason: str) -> Run:
    """End a process that is under way, and have all that it did undone.

    Raises:
        RunEnded: it has ended already.
    """
    with transaction.atomic():
        # A step that is being done is done first; what follows it is not.
        run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
        if not run.is_live:
            raise RunEnded
        if can_cancel(run):
            run.error_code, run.error = CANCELLED, reason
            run.undo_from(run.position)
            run.next_attempt_at = Now()
            run.save()
        wake(run)
    return run


def retry(run_id: UUID) -> Run:
    """Try again now what waits for its next attempt; start again, as a new run, what has failed.

    Raises:
        NothingToTry: it is being done, was done, or cannot be started again from here.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
        again = process_called(run.process).again
        if not can_retry(run):
            raise NothingToTry
        if not run.is_live and again:
            return again(run)
        Run.objects.filter(pk=run.pk).update(next_attempt_at=Now())
        wake(run)
        return run
