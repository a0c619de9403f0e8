"""Sending to a broker that may be gone, or silent: soon done either way, and left alone for a while after a failure."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from typing import Any

from celery import Celery
from kombu import Connection, Producer

from smartcourse.queues.topology import is_rabbitmq, publishing_options


class BrokerRests(ConnectionError):
    """The broker failed a moment ago and is not asked; the message was not sent."""


class Publisher:
    """Connections for sending, used by whichever thread comes next, none waited for longer than `timeout` seconds.

    Celery's own pool is for workers: its sockets wait as long as it takes, which a request cannot. After a failure
    nothing is tried for `pause` seconds, so that a batch of a thousand messages does not wait a thousand times.
    """

    def __init__(self, app: Celery, *, timeout: float, pause: float) -> None:
        self.app = app
        self.timeout = timeout
        self.pause = pause
        self._idle: deque[Producer] = deque()
        self._owner = os.getpid()
        self._inherited: list[deque[Producer]] = []
        self._rests_until = 0.0

    def send(self, task: str, *, queue: str, arguments: dict[str, Any], **options: Any) -> None:
        """Send the message; twice where a kept connection turns out to be closed.

        Raises:
            BrokerRests: it failed a moment ago.
            Exception: whatever the driver raises where the broker does not answer.
        """
        if time.monotonic() < self._rests_until:
            raise BrokerRests("the broker failed a moment ago")
        try:
            self._send(task, arguments, {"queue": queue, "retry": False, **options})
        except Exception:
            self._rests_until = time.monotonic() + self.pause
            self.close()
            raise

    def _send(self, task: str, arguments: dict[str, Any], options: dict[str, Any]) -> None:
        producer, is_kept = self._acquire()
        try:
            self.app.send_task(task, kwargs=arguments, producer=producer, **options)
        except Exception as error:
            _drop(producer.connection)
            # A broker that was started again has closed what we kept; the others idle are no better. One that is silent
            # would only be silent once more.
            if not is_kept or _is_silence(error):
                raise
            self.close()
            self._send(task, arguments, options)
        else:
            self._idle.append(producer)

    def _acquire(self) -> tuple[Producer, bool]:
        if self._owner != os.getpid():
            # The parent's sockets: kept as they are, because closing them here would close them there.
            self._inherited.append(self._idle)
            self._idle, self._owner = deque(), os.getpid()
        try:
            return self._idle.pop(), True
        except IndexError:
            return self._connect(), False

    def _connect(self) -> Producer:
        url = self.app.conf.broker_write_url or self.app.conf.broker_url or ""
        connection: Connection = self.app.connection_for_write(
            connect_timeout=self.timeout,
            # Nobody would send the beats while the connection lies idle.
            heartbeat=0,
            transport_options=publishing_options(url, timeout=self.timeout),
        )
        try:
            # One try: the sweepers have patience, a request has none.
            connection.ensure_connection(
                max_retries=1,
                timeout=self.timeout,  # type: ignore[arg-type]  # it is added to a clock
                interval_start=0,
                interval_step=0,
            )
        except Exception:
            _drop(connection)
            raise
        if is_rabbitmq(url):
            # The driver reads on after a time-out of the kernel's (SO_RCVTIMEO); only this one reaches us.
            connection.connection.sock.settimeout(self.timeout)
        producer: Producer = self.app.amqp.Producer(connection, auto_declare=False)
        return producer

    def close(self) -> None:
        """Close the connections that nobody uses now."""
        while True:
            try:
                _drop(self._idle.pop().connection)
            except IndexError:
                return


def _is_silence(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, TimeoutError) or type(error).__name__ == "TimeoutError":
            return True
        error = error.__cause__
    return False


def _drop(connection: Any) -> None:
    # Closing says good-bye and waits for an answer, which a silent broker does not give. (Asking a connection that is
    # closed for its socket would open it again.)
    with contextlib.suppress(Exception):
        if connection.connected and (sock := getattr(connection.connection, "sock", None)) is not None:
            sock.close()
    with contextlib.suppress(Exception):
        connection.collapse(socket_timeout=0.1)
