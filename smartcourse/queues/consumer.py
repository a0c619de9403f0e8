"""The part of a worker that holds the connection to the broker."""

from __future__ import annotations

from functools import partial
from typing import Any

import billiard.pool
from celery.worker.consumer import Consumer
from django.conf import settings

# A worker's child that is to end waits for its parent to have read its last result. A parent that is ending itself may
# never read it, and half a minute is longer than most deployments wait before they kill. What was done is known by its
# row, not by this answer: its message comes again, and does nothing.
billiard.pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = 20  # of a tenth of a second each


class SteadyConsumer(Consumer):
    """Asks for a broker that is away at a steady pace, and never gives it up.

    Celery's own waits two seconds longer each time, up to thirty: behind an outage of a minute, a worker would notice
    a quarter of a minute late that the broker is back.
    """

    def ensure_connected(self, conn: Any) -> Any:
        """Return the connection once there is one."""
        conn.ensure_connection = partial(
            conn.ensure_connection, interval_start=settings.BROKER_RECONNECT_SECONDS, interval_step=0
        )
        return super().ensure_connected(conn)
