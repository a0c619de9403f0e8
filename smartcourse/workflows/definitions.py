"""What a process is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from smartcourse.workflows.models import Run


@dataclass(frozen=True)
class StepContext:
    """What a step is told: whom the run is about, and what earlier steps and signals left in `data` (JSON values)."""

    run_id: UUID
    subject_id: UUID
    data: dict[str, Any]
    requested_by_id: UUID | None = None
    error: str = ""


Deed = Callable[[StepContext], "dict[str, Any] | None"]


def _nothing(context: StepContext) -> None:
    """Do nothing: some steps are only there to wait, or to be undone."""


def _always(context: StepContext) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """A named deed and what undoes it. What a deed returns is merged into the run's data.

    The deed runs in the transaction that records it; an effect outside the database must bear being repeated. So must
    its undoing, which is also called where the deed failed halfway or was never begun.

    `retry_seconds` overrides WORKFLOW_RETRY_SECONDS. `silence` is how long the deed may keep its transaction open
    without a word to the database (WORKFLOW_LEASE_SECONDS where it does not say): after that it is taken for stopped.
    """

    name: str
    run: Deed = _nothing
    compensate: Deed | None = None
    retry_seconds: tuple[float, ...] | None = None
    silence: timedelta | None = None


@dataclass(frozen=True)
class Wait(Step):
    """A step that goes on, with its deed, when `signal` has come; without a signal to wait for, when the time is up.

    What came with the signal is in the run's data by then. A signal that has not come in time is a failure that is not
    retried. Where `when` says no there is nothing to wait for, and the deed is left out too.
    """

    timeout: timedelta = field(kw_only=True)
    signal: str = field(default="", kw_only=True)
    when: Callable[[StepContext], bool] = field(default=_always, kw_only=True)


@dataclass(frozen=True)
class Process:
    """A named list of steps.

    `failed` is called, in the closing transaction, when a run has been undone; `again` starts a new run in the place of
    one that failed, the way its users would. `queue` is the Celery queue on which it is driven, `about` the model whose
    row a run is about ("courses.Course"), to which staff are led.
    """

    name: str
    steps: tuple[Step, ...]
    failed: Deed | None = None
    again: Callable[[Run], Run] | None = None
    queue: str = "default"
    about: str = ""


_processes: dict[str, Process] = {}


def define(
    name: str,
    *steps: Step,
    failed: Deed | None = None,
    again: Callable[[Run], Run] | None = None,
    queue: str = "default",
    about: str = "",
) -> Process:
    """Register a process under its name; `workflows.start` finds it by that."""
    if name in _processes:
        raise TypeError(f"two processes are called {name}")
    _processes[name] = Process(name, steps, failed, again, queue, about)
    return _processes[name]


def process_called(name: str) -> Process:
    """Return the process of that name.

    Raises:
        LookupError: none is defined.
    """
    try:
        return _processes[name]
    except KeyError:
        raise LookupError(f"no process is called {name!r}") from None


def all_processes() -> list[Process]:
    """Return every process that is defined."""
    return list(_processes.values())
