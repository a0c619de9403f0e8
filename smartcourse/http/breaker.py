"""A circuit breaker: who does not answer is left alone for a while, then tried by one (Nygard, Release It!, ch. 5).

Of this process and its threads: what others have learned about a server, each finds out with three failures of its own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smartcourse.errors import Unavailable


class Resting(Unavailable):
    """The other side failed again and again, and is not asked."""

    code = "not_asked"
    message = "A service that this needs does not answer just now. Please try again in a minute."


class Breaker:
    """Opens after so many `failures` `within` seconds, for `rest` seconds; then one call decides whether it closes.

    `clock` counts seconds and never goes back.
    """

    def __init__(
        self, *, failures: int, within: float, rest: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._within, self._rest, self._clock = within, rest, clock
        self._failed_at: deque[float] = deque(maxlen=failures)
        self._opened_at: float | None = None
        self._is_probing = False
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Tell whether callers are turned away, all or all but one."""
        return self._opened_at is not None

    @contextmanager
    def call(self, *failures: type[Exception]) -> Iterator[None]:
        """Run the block, which fails by one of these errors; any other way out of it is an answer.

        Raises:
            Resting: it is open, or another caller is trying whether it may close.
        """
        self._enter()
        try:
            yield
        except failures:
            self._failed()
            raise
        except BaseException:
            self._answered()
            raise
        self._answered()

    def _enter(self) -> None:
        with self._lock:
            if self._opened_at is None:
                return
            if self._is_probing or self._clock() - self._opened_at < self._rest:
                raise Resting
            self._is_probing = True

    def _failed(self) -> None:
        with self._lock:
            now = self._clock()
            self._failed_at.append(now)
            many = len(self._failed_at) == self._failed_at.maxlen and now - self._failed_at[0] <= self._within
            if many or self._is_probing:
                self._opened_at, self._is_probing = now, False

    def _answered(self) -> None:
        with self._lock:
            if self._is_probing:
                self._failed_at.clear()
                self._opened_at, self._is_probing = None, False
