"""Rate limits: one token bucket a caller and scope, kept in Redis by one atomic script."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import redis
import structlog
from django.conf import settings
from redis.commands.core import Script
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from smartcourse.api.client import client_address
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


class TokenBucketThrottle(BaseThrottle):
    """Never one request more than the bucket holds; a view's `throttle_scope` names its bucket."""

    waiting: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        if not settings.RATE_LIMITS_ENABLED:
            return True
        scope = getattr(view, "throttle_scope", None) or "default"
        capacity, seconds = settings.RATE_LIMITS[scope]
        key = f"rate_limit:{self.get_caller(request)}:{scope}"
        try:
            allowed, left, wait, full = bucket_script(settings.REDIS_URL)(keys=[key], args=[capacity, seconds])
        except (redis.RedisError, ValueError) as error:
            log.warning("rate limits are without Redis", scope=scope, error=type(error).__name__)
            if scope in FAIL_CLOSED:
                raise Unavailable from error
            return True
        self.waiting = wait / 1000
        # The view puts these on its answer, whatever that is (see ContextView.finalize_response).
        request.rate_limit_headers = {  # type: ignore[attr-defined]  # a note to ContextView on DRF's own object
            "X-RateLimit-Limit": str(capacity),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(math.ceil(full / 1000)),
        }
        return bool(allowed)

    def wait(self) -> float | None:
        return self.waiting

    def get_caller(self, request: Request) -> str:
        """Return the user's id, else the client's address."""
        user = request.user
        return str(user.pk) if user and user.is_authenticated else client_address(request)
