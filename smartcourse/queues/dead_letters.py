"""Dead letters: how a task gets among them, and what can be done about it."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from typing import Any

import structlog
from celery import current_app
from celery.signals import task_failure
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone
from kombu.message import Message

from smartcourse.queues.dispatch import inline, run_inline, send_now
from smartcourse.queues.models import DeadLetter, DeadLetterQuerySet, DeadLetterStatus
from smartcourse.queues.retrying import queue_of
from smartcourse.queues.topology import DEAD_QUEUE, QUEUES, is_rabbitmq, publishing_options

COLLECTED_AT_ONCE = 500
WORDS = {
    "delivery_limit": "its worker was killed, again and again",
    "rejected": "a worker refused it",
    "maxlen": "its queue was full",
}

log = structlog.get_logger(__name__)


def record(*, task_id: str, task: str, queue: str, cause: str, **fields: Any) -> bool:
    """Keep the task as a dead letter, and return whether it was none yet.

    `fields` are `arguments`, `request_id`, `details` and `died_at` of the letter.
    """
    letter = DeadLetter(
        task_id=task_id, task=task[:200], queue=(queue if queue in QUEUES else "default"), cause=cause[:300], **fields
    )  # fmt: skip
    before = DeadLetter.objects.filter(task_id=task_id).exists()
    DeadLetter.objects.bulk_create([letter], ignore_conflicts=True)
    return not before


def collect_dead_letters(limit: int = COLLECTED_AT_ONCE) -> int:
    """Turn up to `limit` messages of the broker's queue of the dead into rows, and return how many were there.

    A message is acknowledged once its row is committed. What expired is no loss and becomes no row: it was a hint that
    the next one has replaced. Redis has no such queue.
    """
    url = current_app.conf.broker_url or ""
    if not is_rabbitmq(url):
        return 0
    options = publishing_options(url, timeout=10)
    with current_app.connection_for_write(connect_timeout=2, heartbeat=0, transport_options=options) as link:
        queue = DEAD_QUEUE(link.default_channel)
        queue.declare()
        for collected in range(limit):
            message = queue.get()
            if message is None:
                return collected
            _keep(message)
            message.ack()
    return limit


def _keep(message: Message) -> None:
    headers: Any = message.headers
    # The last death is told first; earlier ones are of the queues in which a retry waits.
    last: Any = (headers.get("x-death") or [{}])[0]
    if last.get("reason") == "expired":
        return
    reason = str(last.get("reason", "unknown"))
    died_at = last.get("time")
    record(
        task_id=str(headers.get("id", message.delivery_tag)),
        task=str(headers.get("task", "unknown")),
        queue=str(last.get("queue", "")),
        cause=f"{WORDS.get(reason, 'the broker gave it up')} ({reason})",
        details=f"In the queue {last.get('queue')}; delivered {headers.get('x-delivery-count', '?')} times.",
        arguments=_arguments_of(message),
        request_id=str(headers.get("request_id") or ""),
        died_at=died_at.replace(tzinfo=UTC) if isinstance(died_at, datetime) else timezone.now(),
    )


def _arguments_of(message: Message) -> dict[str, Any]:
    try:
        _, arguments, _ = message.payload
    except Exception:  # noqa: BLE001 - whatever is wrong with a body, its letter is kept
        return {}
    return dict(arguments)


@task_failure.connect(dispatch_uid="queues.record_failure")
def record_failure(*, sender: Any, task_id: str, exception: BaseException, **signal: Any) -> None:
    """Keep a task that raised beyond its retries, or ran into its time limit; nothing is raised."""
    if getattr(sender, "is_sweeper", False):
        # Its next tick comes in seconds, and is the retry.
        return
    request = sender.request
    keep_failure(
        task_id=task_id,
        task=sender.name,
        queue=queue_of(request.delivery_info),
        error=exception,
        arguments=signal.get("kwargs") or {},
        request_id=str(getattr(request, "request_id", "") or ""),
    )


def keep_failure(*, task_id: str, task: str, error: BaseException, **fields: Any) -> None:
    """Write the failure down in a transaction of its own; where the database is gone too, it is logged."""
    cause = f"{type(error).__name__}: {error}"
    details = "".join(traceback.format_exception(error))[-8000:]
    try:
        record(task_id=task_id, task=task, cause=cause, details=details, died_at=timezone.now(), **fields)
    except (DatabaseError, InterfaceError):
        log.exception("a dead letter could not be kept", task=task, task_id=task_id, cause=cause, **fields)
        connection.close()


def redrive_letters(letters: DeadLetterQuerySet, *, by: Any = None) -> int:
    """Send the open ones among these letters again, as new tasks; return how many the broker has taken."""
    count = 0
    for key in list(letters.open().order_by("died_at").values_list("pk", flat=True)):
        with transaction.atomic():
            letter = (
                DeadLetter.objects.open()
                .select_for_update(skip_locked=True, of=("self",))
                .filter(pk=key)
                .first()
            )
            if letter and _send(letter):
                _settle(letter, DeadLetterStatus.REDRIVEN, by=by)
                count += 1
    return count


def _send(letter: DeadLetter) -> bool:
    if inline():
        sent: dict[str, Any] = {
            "queue": letter.queue,
            "arguments": letter.arguments,
            "request_id": letter.request_id,
        }
        transaction.on_commit(lambda: run_inline(letter.task, **sent))
        return True
    return send_now(letter.task, queue=letter.queue, arguments=letter.arguments, request_id=letter.request_id)


def discard_letters(letters: DeadLetterQuerySet, *, by: Any = None) -> int:
    """Leave the open ones among these letters undone for good, and return how many."""
    return letters.open().update(status=DeadLetterStatus.DISCARDED, settled_at=timezone.now(), settled_by=by)


def _settle(letter: DeadLetter, status: DeadLetterStatus, *, by: Any) -> None:
    letter.status, letter.settled_at, letter.settled_by = status, timezone.now(), by
    letter.save(update_fields=["status", "settled_at", "settled_by"])
