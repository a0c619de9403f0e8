"""What every task here does when it raises: wait, try again, and at last lie among the dead letters."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import structlog
from celery import Task
from celery.exceptions import Ignore, Reject, Retry, TimeLimitExceeded
from celery.worker.request import Request
from django.conf import settings

from smartcourse.observability.context import current_request_id, request_context

log = structlog.get_logger(__name__)


class RecordingRequest(Request):
    """A task in a worker's hands; ended by its hard time limit, it becomes a dead letter with its queue."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """Write down what was killed before it is acknowledged: the task itself cannot any more."""
        if not soft:
            self._keep_killed()
        super().on_timeout(soft, timeout)

    def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
        """Do the same where the pool tells of the end before the clock does."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, TimeLimitExceeded):
            self._keep_killed()
        return super().on_failure(exc_info, *args, **kwargs)

    def _keep_killed(self) -> None:
        # Needs the app registry, which is not there yet when this module is imported.
        from smartcourse.queues.dead_letters import keep_failure

        if not getattr(self.task, "is_sweeper", False):
            keep_failure(
                task_id=self.id,
                task=self.name,
                queue=queue_of(self.delivery_info),
                error=TimeoutError("killed at its time limit"),
                arguments=dict(self.kwargs),
                request_id=str(self.request_dict.get("request_id") or ""),
            )


def queue_of(delivery_info: Mapping[str, Any] | None) -> str:
    """Return the queue that a message came from; a retry has waited under a key with its delay before the name."""
    return str((delivery_info or {}).get("routing_key", "")).rpartition(".")[2]


class PatientTask(Task[Any, Any]):
    """Tried again after `TASK_RETRY_SECONDS`, with some jitter. The default of the application.

    Sweepers, by their name (`events.sweep_deliveries`), are not: their next tick is the retry.
    """

    abstract = True
    Request = f"{RecordingRequest.__module__}:{RecordingRequest.__name__}"

    @property
    def is_sweeper(self) -> bool:
        """Whether beat sends it every few seconds anyway."""
        return str(self.name).partition(".")[2].startswith("sweep")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task, and have it sent again later if it raises.

        Raises:
            Exception: what the task raised, beyond its retries.
        """
        try:
            with request_context(getattr(self.request, "request_id", None) or current_request_id()):
                return self.run(*args, **kwargs)
        except (Ignore, Reject, Retry):
            raise
        except Exception as error:
            self._try_again(error)
            raise

    def _try_again(self, error: Exception) -> None:
        waits = settings.TASK_RETRY_SECONDS
        request = self.request
        if self.is_sweeper or request.called_directly or request.is_eager or request.retries >= len(waits):
            return
        jitter = 1 + random.random() * settings.TASK_RETRY_JITTER  # noqa: S311 - no secret
        # RabbitMQ's delay counts whole seconds, from one.
        countdown = max(1.0, waits[request.retries] * jitter)
        try:
            raise self.retry(exc=error, countdown=countdown, max_retries=len(waits))
        except Reject as refused:
            log.warning("a retry could not be sent", task=self.name, error=repr(refused.__context__))
            # The broker would not take the retry. Refusing the message now would lose it on Redis.
            return
