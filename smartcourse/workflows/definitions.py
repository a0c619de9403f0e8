"""What a process is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class StepContext:
    """What a step is told: whom the run is about, and what earlier steps left in `data` (JSON values)."""

    run_id: UUID
    subject_id: UUID
    data: dict[str, Any]
    requested_by_id: UUID | None = None
    error: str = ""


Deed = Callable[[StepContext], "dict[str, Any] | None"]


@dataclass(frozen=True)
class Step:
    """A named deed and what undoes it. What a deed returns is merged into the run's data.

    The deed runs in the transaction that records it; an effect outside the database must bear being repeated.
    """

    name: str
    run: Deed
    compensate: Deed | None = None


@dataclass(frozen=True)
class Process:
    """A named list of steps; `failed` is called, in the closing transaction, when a run has been compensated."""

    name: str
    steps: tuple[Step, ...]
    failed: Deed | None = None


_processes: dict[str, Process] = {}


def define(name: str, *steps: Step, failed: Deed | None = None) -> Process:
    """Register a process under its name; `workflows.start` finds it by that."""
    if name in _processes:
        raise TypeError(f"two processes are called {name}")
    _processes[name] = Process(name, steps, failed)
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
