"""Rate limits: one token bucket a caller and scope, kept in Redis by one atomic script."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from redis.commands.core import Script
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from smartcourse.api.client import client_network
from smartcourse.api.problems import RETRY_AFTER_OUTAGE, answer
from smartcourse.errors import TooManyRequests, Unavailable

# Where guessing is the danger, no limit means no entry; elsewhere service goes on without Redis.
FAIL_CLOSED = frozenset({"auth", "verify"})

# KEYS[1] the bucket; ARGV capacity, seconds to fill. Time is the server's own, so that no two machines disagree.
# Answers {allowed, tokens left, milliseconds until the next token, milliseconds until full}.
BUCKET = """
local capacity, period = tonumber(ARGV[1]), tonumber(ARGV[2]) * 1000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1]) or capacity, tonumber(bucket[2]) or now
tokens = math.min(capacity, tokens + math.max(0, now - at) * capacity / period)
local allowed = 0
if tokens >= 1 then tokens, allowed = tokens - 1, 1 end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now)
redis.call('PEXPIRE', KEYS[1], period)
local wait = 0
if tokens < 1 then wait = math.ceil((1 - tokens) * period / capacity) end
return {allowed, math.floor(tokens), wait, math.ceil((capacity - tokens) * period / capacity)}
"""

log = structlog.get_logger(__name__)


@cache
def bucket_script(url: str) -> Script:
    """Return the script on a pool that waits for a free connection (redis-py's default pool raises instead)."""
    pool = redis.BlockingConnectionPool.from_url(url, max_connections=16, timeout=2, socket_timeout=2)
    return redis.Redis(connection_pool=pool).register_script(BUCKET)


@dataclass(frozen=True)
class Verdict:
    """Whether a bucket had a token left, and what its owner is told about it. Times are in seconds."""

    allowed: bool
    limit: int
    left: int
    wait: float
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.left),
            "X-RateLimit-Reset": str(self.reset),
        }


def take_token(*, caller: str, scope: str) -> Verdict | None:
    """Take one token out of the caller's bucket for that scope; None where limits are off or open without Redis.

    Raises:
        Unavailable: Redis does not answer, and the scope is one where guessing is the danger.
    """
    if not settings.RATE_LIMITS_ENABLED:
        return None
    capacity, seconds = settings.RATE_LIMITS[scope]
    try:
        script = bucket_script(settings.REDIS_URL)
        allowed, left, wait, full = script(keys=[f"rate_limit:{caller}:{scope}"], args=[capacity, seconds])
    except (redis.RedisError, ValueError) as error:
        log.warning("rate limits are without Redis", scope=scope, error=type(error).__name__)
        if scope in FAIL_CLOSED:
            raise Unavailable from error
        return None
    return Verdict(bool(allowed), capacity, left, wait / 1000, math.ceil(full / 1000))


class TokenBucketThrottle(BaseThrottle):
    """Never one request more than the bucket holds; a view's `throttle_scope` names its bucket."""

    waiting: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        scope = getattr(view, "throttle_scope", None) or "default"
        verdict = take_token(caller=caller_of(request), scope=scope)
        if verdict is None:
            return True
        self.waiting = verdict.wait
        note_verdict(plain(request), verdict)
        return verdict.allowed

    def wait(self) -> float | None:
        return self.waiting


def caller_of(request: Request) -> str:
    """Return whose bucket it is: the person's, that of what speaks for them (an API key), else the address's.

    So what comes without an account from an address takes nothing from whoever signed in there, nor the reverse.
    """
    user = request.user
    if not user or not user.is_authenticated:
        return client_network(plain(request))
    return str(getattr(request.auth, "rate_limit_caller", None) or user.pk)


def plain(request: Request) -> HttpRequest:
    """Return the request that DRF's stands for, which the middleware knows."""
    inner: HttpRequest = request._request  # noqa: SLF001 - DRF's documented way to it
    return inner


def note_verdict(request: HttpRequest, verdict: Verdict) -> None:
    """Have the answer, whatever it is, carry what became of the bucket (see RateLimitHeadersMiddleware)."""
    request.rate_limit_headers = verdict.headers  # type: ignore[attr-defined]  # a note on Django's own object


Page = Callable[..., HttpResponseBase]


def throttled_page(scope: str) -> Callable[[Page], Page]:
    """Limit a plain page, like the API's own addresses, by the client's address.

    A limit that the page itself runs into (too many wrong passwords) is answered in the same way.
    """

    def decorate(page: Page) -> Page:
        @wraps(page)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                _take_for_page(request, scope)
                return page(request, *args, **kwargs)
            except TooManyRequests as error:
                response = answer(request, 429, error.code, error.detail)
                response["Retry-After"] = str(error.retry_after)
                return response
            except Unavailable as error:
                response = answer(request, 503, error.code, error.detail)
                response["Retry-After"] = RETRY_AFTER_OUTAGE
                return response

        limited.throttle_scope = scope  # type: ignore[attr-defined]  # for the test that walks the addresses
        return limited

    return decorate


def _take_for_page(request: HttpRequest, scope: str) -> None:
    if verdict := take_token(caller=client_network(request), scope=scope):
        note_verdict(request, verdict)
        if not verdict.allowed:
            wait = max(1, math.ceil(verdict.wait))
            raise TooManyRequests("Too many requests. Please wait a little.", retry_after=wait)
