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
from django.http import HttpRequest, HttpResponse
from redis.commands.core import Script
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from smartcourse.api.client import client_address
from smartcourse.api.problems import problem_response
from smartcourse.errors import Unavailable

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
        user = request.user
        caller = str(user.pk) if user and user.is_authenticated else client_address(request)
        verdict = take_token(caller=caller, scope=getattr(view, "throttle_scope", None) or "default")
        if verdict is None:
            return True
        self.waiting = verdict.wait
        # The view puts these on its answer, whatever that is (see ContextViewSet.finalize_response).
        request.rate_limit_headers = verdict.headers  # type: ignore[attr-defined]  # a note on DRF's own object
        return verdict.allowed

    def wait(self) -> float | None:
        return self.waiting


Page = Callable[..., HttpResponse]


def throttled_page(scope: str) -> Callable[[Page], Page]:
    """Limit a plain page, like the API's own addresses, by the client's address."""

    def decorate(page: Page) -> Page:
        @wraps(page)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                verdict = take_token(caller=client_address(request), scope=scope)
            except Unavailable as error:
                return problem_response(503, error.code, error.detail)
            if verdict and not verdict.allowed:
                response = problem_response(429, "rate_limited", "Too many requests. Please wait a little.")
                response["Retry-After"] = str(max(1, math.ceil(verdict.wait)))
                return response
            return page(request, *args, **kwargs)

        return limited

    return decorate
