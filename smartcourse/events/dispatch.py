"""Handing work to Celery: a message is a hint, so losing one is never an error."""

from __future__ import annotations

from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from smartcourse.observability.context import current_request_id

log = structlog.get_logger(__name__)


def enqueue(task: str, /, *, queue: str, **arguments: Any) -> None:
    """Send the task of that name to the queue once the open transaction has committed.

    Where no broker answers, nothing is raised: the row that the task would work on is the truth, and a sweeper
    dispatches it again.
    """
    headers = {"request_id": current_request_id()}

    def send() -> None:
        try:
            current_app.send_task(task, kwargs=arguments, queue=queue, headers=headers)
        except (OperationalError, ConnectionError) as error:
            log.warning("the broker does not answer; the sweeper will dispatch", task=task, error=str(error))

    transaction.on_commit(send)
