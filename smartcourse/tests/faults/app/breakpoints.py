"""Places where a process dies, fails or stops when a row says so."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from django.db import OperationalError, connection, transaction

from smartcourse.api import idempotency
from smartcourse.queues import scheduler
from smartcourse.workflows import definitions
from smartcourse.workflows.definitions import Deed, Process, Step, StepContext

CLAIM = """
    UPDATE faults_breakpoint SET remaining = remaining - 1
    WHERE id = (
        SELECT id FROM faults_breakpoint
        WHERE place = %(place)s AND remaining > 0 AND (subject_id IS NULL OR subject_id = %(subject)s)
        ORDER BY id LIMIT 1 FOR UPDATE
    ) RETURNING mode
"""
TRACE = "INSERT INTO faults_trace (place, subject_id, mode, pid) VALUES (%s, %s, %s, %s)"


class FaultOrdered(RuntimeError):
    """A step or a subscriber fails because a test wants it to."""


def reach(place: str, subject: UUID | None = None) -> None:
    """Pass the place, and leave a trace of it; die, stop or fail there if a breakpoint says so.

    On a connection of its own: what it writes stands, whatever becomes of the transaction that is open.

    Raises:
        FaultOrdered: it says "raise".
    """
    try:
        own = _own_connection(os.getpid(), threading.get_ident())
        row = own.execute(CLAIM, {"place": place, "subject": subject}).fetchone()
        mode = row[0] if row else None
        own.execute(TRACE, [place, subject, mode, os.getpid()])
    except psycopg.OperationalError as error:
        # A database that went away is met here as by the product, in whose place we stand.
        _own_connection.cache_clear()
        raise OperationalError(str(error)) from error
    if mode is not None:
        MODES[mode](place)


@cache
def _own_connection(_pid: int, _thread: int) -> psycopg.Connection[Any]:
    # Kept, or most of what a worker did would be to connect; by process, for its parent's is not a child's to use.
    return psycopg.connect(**_parameters(), autocommit=True)


def _parameters() -> dict[str, Any]:
    known = ("host", "port", "user", "password", "dbname")
    return {name: value for name, value in connection.get_connection_params().items() if name in known}


def _fail(place: str) -> None:
    raise FaultOrdered(f"a fault was ordered at {place}")


MODES: dict[str, Callable[[str], None]] = {
    # The process alone (one of a worker's children), and the worker with all of its children.
    "kill": lambda place: os.kill(os.getpid(), signal.SIGKILL),
    "kill group": lambda place: os.killpg(os.getpgid(0), signal.SIGKILL),
    # To this thread: whichever other the kernel woke for it might come to it only when this one has answered.
    "stop": lambda place: signal.pthread_kill(threading.get_ident(), signal.SIGSTOP),
    "raise": _fail,
}


def wrap_beat() -> None:
    """Give beat its place, `beat.mid`: a job is claimed, and neither sent nor committed."""
    claim = scheduler.claim

    def claim_and_reach(*, job: str, due_at: datetime) -> bool:
        claimed = claim(job=job, due_at=due_at)
        if claimed:
            reach("beat.mid")
        return claimed

    scheduler.claim = claim_and_reach


def wrap_answers() -> None:
    """Give a POST with an Idempotency-Key its places.

    `answer.mid`: the deed is done, and neither it nor its answer is committed. `answer.after`: both are, and nobody was
    answered.
    """
    once = idempotency.once

    def once_with_places(view: Any, handler: Callable[..., Any], key: str) -> Callable[..., Any]:
        def deed(*args: Any, **kwargs: Any) -> Any:
            answer = handler(*args, **kwargs)
            reach("answer.mid")
            return answer

        act = once(view, deed, key)

        def act_and_reach(*args: Any, **kwargs: Any) -> Any:
            answer = act(*args, **kwargs)
            reach("answer.after")
            return answer

        return act_and_reach

    idempotency.once = once_with_places


def wrap_processes() -> None:
    """Give every step of every process its places: `PROCESS.STEP.before`, `.mid`, `.after`, and `.undo...` likewise.

    Before the deed; after it and before the commit; after the commit.
    """
    for process in definitions.all_processes():
        definitions._processes[process.name] = _wrapped(process)


def _wrapped(process: Process) -> Process:
    return replace(process, steps=tuple(_wrapped_step(process.name, step) for step in process.steps))


def _wrapped_step(process: str, step: Step) -> Step:
    place = f"{process}.{step.name}"
    undo = step.compensate and _wrapped_deed(f"{place}.undo", step.compensate)
    return replace(step, run=_wrapped_deed(place, step.run), compensate=undo)


def _wrapped_deed(place: str, deed: Deed) -> Deed:
    def run(context: StepContext) -> Any:
        reach(f"{place}.before", context.subject_id)
        done = deed(context)
        reach(f"{place}.mid", context.subject_id)
        transaction.on_commit(lambda: reach(f"{place}.after", context.subject_id))
        return done

    return run
