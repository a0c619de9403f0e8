"""The cache on a real server: what is put in comes back, without a new client for each call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.core.cache import caches


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The clients that are made from now on."""
    clients: list[Any] = []
    make = redis.Redis.__init__

    def noted(self: Any, *args: Any, **options: Any) -> None:
        clients.append(self)
        make(self, *args, **options)

    monkeypatch.setattr(redis.Redis, "__init__", noted)
    return clients


class TestRedisCache:
    def test_makes_no_client_for_each_call(self, made: list[Any]) -> None:
        cache = caches.create_connection("default")
        for number in range(5):
            cache.set("kept", {"number": number}, 5)
            assert cache.get_many(["kept", "other"]) == {"kept": {"number": number}}
        assert len(made) == 2

    def test_can_be_shared_by_threads(self, made: list[Any]) -> None:
        cache = caches.create_connection("default")
        cache.set("count", 0, 5)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: cache.incr("count"), range(200)))
        assert cache.get("count") == 200
        assert len(made) == 2
