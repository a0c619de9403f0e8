"""Calling a service that this installation chose: bounded in time, tried again, and left alone where it fails.

Not for addresses that strangers name (see pinning.py), and not for webhooks, whose schedule of days is rows in the
database: a sleeping thread remembers nothing. Files go to S3 by botocore, which has timeouts and retries of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from urllib3.exceptions import HTTPError

from smartcourse.http.breaker import Breaker
from smartcourse.http.pinning import Answer, NoAnswer

# Asked twice, they have done what they do once (RFC 9110 §9.2.2).
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
# Who says so has not done it, or is only in the way of who would.
FAILURES = frozenset({502, 503, 504})

_pool = urllib3.PoolManager(maxsize=8, retries=False)
_breakers: dict[str, Breaker] = {}
_lock = threading.Lock()


def call(
    method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None,
    patient: bool = True,
) -> Answer:  # fmt: skip
    """Return the answer of the service, whatever its status, but for the three that say it is out of order.

    Each try has `HTTP_TIMEOUT_SECONDS`; where it may be repeated (by its method, or because it has an
    `Idempotency-Key`) there are more after `HTTP_RETRY_SECONDS`. `patient=False` makes one try: a request of somebody
    who waits has no seven seconds to sleep.

    Raises:
        NoAnswer: nothing came back, or nothing but that it is out of order.
        Resting: this service has failed too often lately, and is not asked.
    """
    told = dict(headers or {})
    repeatable = method in REPEATABLE or "Idempotency-Key" in told
    waits = iter(settings.HTTP_RETRY_SECONDS if patient and repeatable else ())
    while True:
        try:
            with breaker_of(url).call(NoAnswer):
                return _ask(method, url, body, told)
        except NoAnswer:
            if (wait := next(waits, None)) is None:
                raise
            time.sleep(wait)


def breaker_of(url: str) -> Breaker:
    """Return the breaker of the service behind that address: one for each host and port."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    with _lock:
        return _breakers.setdefault(
            origin,
            Breaker(
                failures=settings.HTTP_BREAKER_FAILURES,
                within=settings.HTTP_BREAKER_WITHIN_SECONDS,
                rest=settings.HTTP_BREAKER_REST_SECONDS,
            ),
        )


def _ask(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Answer:
    try:
        answer = _pool.request(
            method, url, body=body, headers=headers, redirect=False, timeout=settings.HTTP_TIMEOUT_SECONDS
        )
    except HTTPError as error:
        raise NoAnswer(f"No answer ({type(error).__name__}).") from error
    if answer.status in FAILURES:
        raise NoAnswer(f"It is out of order ({answer.status}).")
    return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)
