"""Handing work to Celery: a message is a hint, so losing one is never an error."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import structlog
from celery import Celery, current_app
from celery.app import app_or_default
from django.conf import settings
from django.db import transaction

from smartcourse.db.identifiers import uuid7
from smartcourse.observability.context import current_request_id, request_context
from smartcourse.queues.publisher import BrokerRests, Publisher

log = structlog.get_logger(__name__)

_publishers: dict[int, Publisher] = {}
_lock = threading.Lock()
_inline = threading.local()

Waiting = tuple[str, str, dict[str, Any], str]
"""A task that waits its turn inline: name, queue, arguments, request id."""


def enqueue(task: str, /, *, queue: str, **arguments: Any) -> None:
    """Send the task of that name to the queue once the open transaction has committed.

    Nothing is raised, whatever the broker does: the row that the task would work on is the truth, and a sweeper
    dispatches it again. With `TASKS_INLINE` the task is done here and now, after the commit.
    """
    request_id = current_request_id()

    def send() -> None:
        if inline():
            run_inline(task, queue=queue, arguments=arguments, request_id=request_id)
        else:
            send_now(task, queue=queue, arguments=arguments, request_id=request_id)

    transaction.on_commit(send)


def send_now(task: str, *, queue: str, arguments: dict[str, Any], request_id: str = "") -> bool:
    """Send the message at once, and return whether the broker has it; nothing is raised."""
    try:
        publisher().send(task, queue=queue, arguments=arguments, headers={"request_id": request_id})
    except BrokerRests:
        return False
    except Exception as error:  # noqa: BLE001 - drivers raise what they like; the row is there whatever it was
        log.warning("the broker does not answer; the sweeper will dispatch", task=task, error=repr(error))
        return False
    return True


def publisher() -> Publisher:
    """Return the publisher of this process for the current Celery application."""
    app: Celery = app_or_default()
    with _lock:
        known = _publishers.get(id(app))
        if known is None or known.app is not app:
            known = _publishers[id(app)] = Publisher(
                app, timeout=settings.BROKER_TIMEOUT_SECONDS, pause=settings.BROKER_PAUSE_SECONDS
            )
    return known


def inline() -> bool:
    """Tell whether tasks run in the process that sends them."""
    return bool(settings.TASKS_INLINE)


def run_inline(task: str, *, queue: str, arguments: dict[str, Any], request_id: str = "") -> None:
    """Do the task in this thread, and whatever it sends after it; nothing is raised.

    Tasks send tasks: the outermost call does them all, one after another in the order they were sent, so that no task
    ever runs within another one. What fails is a dead letter at once: nobody is here to wait for another attempt.
    """
    waiting: deque[Waiting] | None = getattr(_inline, "waiting", None)
    if waiting is not None:
        waiting.append((task, queue, arguments, request_id))
        return
    _inline.waiting = waiting = deque([(task, queue, arguments, request_id)])
    try:
        while waiting:
            _do(*waiting.popleft())
    finally:
        _inline.waiting = None


def _do(task: str, queue: str, arguments: dict[str, Any], request_id: str) -> None:
    try:
        if task not in current_app.tasks:
            current_app.loader.import_default_modules()
        with request_context(request_id):
            current_app.tasks[task].run(**arguments)
    except Exception as error:
        log.exception("a task failed inline", task=task, error=repr(error))
        _keep(task, queue, arguments, request_id, error)


def _keep(task: str, queue: str, arguments: dict[str, Any], request_id: str, error: Exception) -> None:
    # Dead letters are sent again by this module.
    from smartcourse.queues.dead_letters import keep_failure

    if not getattr(current_app.tasks.get(task), "is_sweeper", False):
        keep_failure(
            task_id=str(uuid7()), task=task, queue=queue, error=error, arguments=arguments, request_id=request_id
        )  # fmt: skip
