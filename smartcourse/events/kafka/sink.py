"""The loop of the sink's process: one is active, others wait for its place."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import connection

from smartcourse.events.kafka.drain import SINK, Drain
from smartcourse.events.subscriptions import SINKS_CHANNEL, register_sink

# The advisory lock that makes one sink the active one; the others wait on it.
ACTIVE_SINK = 0x5C_0002

log = structlog.get_logger(__name__)


def is_enabled() -> bool:
    """Return whether facts go to Kafka here."""
    return bool(settings.KAFKA_BOOTSTRAP_SERVERS)


register_sink(SINK, enabled=is_enabled)


class KafkaSink:
    """Drains what is owed to Kafka, woken by NOTIFY and once a second, until it is told to stop."""

    def __init__(self, *, stopping: Callable[[], bool]) -> None:
        self.stopping = stopping
        self._patience_ends: float | None = None

    def run(self) -> None:
        """Wait to be the active sink, then drain until told to stop.

        Raises:
            KafkaNotConfigured: there is nothing to send to, or nothing to send with.
            OperationalError: the database went away, or took this sink for dead.
        """
        self._let_the_database_end_us()
        while not self._is_active():
            if self.stopping():
                return
            self._wait_for_news()
        drain = Drain(tick=self._show_life, give_up=self._out_of_patience)
        log.info("this sink is the active one", topic_prefix=settings.KAFKA_TOPIC_PREFIX)
        try:
            self._drain_until_told(drain)
        finally:
            drain.close()

    def _drain_until_told(self, drain: Drain) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {SINKS_CHANNEL}")
        while not self.stopping():
            while drain.batch(limit=settings.KAFKA_SINK_BATCH) and not self.stopping():
                pass
            self._wait_for_news()

    def _let_the_database_end_us(self) -> None:
        """Have the server end this session, and with it the lock, when nothing is heard of us.

        An advisory lock is as alive as its session: that of a process which is stopped or cut off would stay for ever.
        A sink that comes back from the dead may still send what it had in hand. That does no harm: both began with the
        first fact of each aggregate that is not marked, so the first occurrences are in order.
        """
        milliseconds = int(settings.KAFKA_SINK_TAKEOVER_SECONDS * 1000)
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_session_timeout = {milliseconds}")

    def _is_active(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [ACTIVE_SINK])
            row = cursor.fetchone()
        return bool(row and row[0])

    def _show_life(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def _out_of_patience(self) -> bool:
        """Say whether Kafka was waited for long enough after the word to stop."""
        if not self.stopping():
            return False
        if self._patience_ends is None:
            self._patience_ends = time.monotonic() + settings.KAFKA_STOP_SECONDS
        return time.monotonic() >= self._patience_ends

    def _wait_for_news(self) -> None:
        raw = connection.connection
        # What psycopg says of a connection that broke, in Django's words, as everywhere else.
        with connection.wrap_database_errors:
            self._hear_news(raw)

    def _hear_news(self, raw: Any) -> None:
        if select.select([raw.fileno()], [], [], settings.KAFKA_SINK_INTERVAL_SECONDS)[0]:
            for _ in raw.notifies(timeout=0):
                pass
