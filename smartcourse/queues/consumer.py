"""The part of a worker that holds the connection to the broker."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import billiard.pool
from celery.worker.consumer import Consumer
from celery.worker.state import reserved_requests
from django.conf import settings

# A worker's child that is to end waits for its parent to have read its last result. A parent that is ending itself may
# never read it, and half a minute is longer than most deployments wait before they kill. What was done is known by its
# row, not by this answer: its message comes again, and does nothing.
billiard.pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = 20  # of a tenth of a second each


# Workers here have nothing to tell each other (revoked tasks, clocks); it would cost each start a second.
ALONE = {"without_gossip": True, "without_mingle": True}


class SteadyConsumer(Consumer):
    """Asks for a broker that is away at a steady pace, and never gives it up.

    Celery's own waits two seconds longer each time, up to thirty: behind an outage of a minute, a worker would notice
    a quarter of a minute late that the broker is back.
    """

    def __init__(self, *args: Any, worker_options: dict[str, Any] | None = None, **options: Any) -> None:
        options["worker_options"] = {**(worker_options or {}), **ALONE}
        super().__init__(*args, **options)

    def ensure_connected(self, conn: Any) -> Any:
        """Return the connection once there is one."""
        conn.ensure_connection = partial(
            conn.ensure_connection, interval_start=settings.BROKER_RECONNECT_SECONDS, interval_step=0
        )
        return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Leave the connection that was lost, and let the worker look for another.

        What came by it cannot be acknowledged by it any more, neither now nor when the tasks in hand are done: its
        messages come again, and what a task has done is known by its row. kombu's channel for Redis would try, over a
        transport that is gone, and its AttributeError would end the worker.
        """
        for request in tuple(reserved_requests):
            request.acknowledged = True
        lost: Any = self.connection
        # Celery 5.7 clears the connection away first and closes it then, which may fail in the same way.
        lost.close = partial(_whatever_happens, lost.close)
        super().on_connection_error_after_connected(exc)


def _whatever_happens(close: Callable[[], object]) -> None:
    # Whatever it is that a connection cannot do any more: this one is not used again.
    with suppress(Exception):
        close()
