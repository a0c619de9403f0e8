"""What is counted where it happens: requests, looks into caches, connections of the pool.

A web server has several processes, and a scrape reaches one of them: they share what they count through files, in the
folder that `manage.py serve` makes (docs/decisions/0020). The instruments are made at their first use, in the process
that counts, because prometheus_client decides on its import whether values lie in files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Literal

import psutil
from django.conf import settings
from django.db import connection

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# What the product promises (P50 under 100 ms, P95 under 200, P99 under 500) is on a boundary each.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)
# prometheus_client has its path from nowhere else.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

Look = Literal["hit", "miss", "away"]


class Instruments:
    """The counters of this process, or its share of those of its web server."""

    registry: CollectorRegistry
    requests: Histogram
    looks: Counter
    pool: Gauge

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "smartcourse_http_request_duration_seconds", "Requests, by the template of their route.",
            ["method", "route", "status"], buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.looks = Counter(
            "smartcourse_cache_requests", "Looks into a cache; `away` where Redis was not asked or did not answer.",
            ["cache", "result"], registry=self.registry,
        )  # fmt: skip
        self.pool = Gauge(
            "smartcourse_database_pool_connections",
            "Connections of the pools of this web server: used, idle, at most; and requests that wait for one.",
            ["state"], registry=self.registry, multiprocess_mode="livesum",
        )  # fmt: skip


@cache
def instruments() -> Instruments:
    return Instruments()


def count_look(name: str, result: Look) -> None:
    """Count a look into the cache of that name."""
    instruments().looks.labels(name, result).inc()


def note_pool(**_: Any) -> None:
    """Note how this process's pool of connections is used (a receiver of `request_finished`)."""
    pool: Any = getattr(connection, "pool", None)
    if pool is None:
        return
    stats = pool.get_stats()
    size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
    told = {
        "used": size - idle,
        "idle": idle,
        "limit": stats["pool_max"],
        "waiting": stats["requests_waiting"],
    }
    for state, number in told.items():
        instruments().pool.labels(state).set(number)


@contextmanager
def shared_by_processes() -> Iterator[None]:
    """Have the processes that are started in the context share what they count; what killed servers left is deleted."""
    folders = Path(settings.DATA_DIR) / "metrics"
    folders.mkdir(parents=True, exist_ok=True)
    for left in folders.iterdir():
        if left.name == str(os.getpid()) or not psutil.pid_exists(int(left.name)):
            rmtree(left, ignore_errors=True)
    own = folders / str(os.getpid())
    own.mkdir()
    os.environ[SHARED_FOLDER] = str(own)
    try:
        yield
    finally:
        os.environ.pop(SHARED_FOLDER, None)
        rmtree(own, ignore_errors=True)


def counted() -> str:
    """Return what was counted, in the text format; of all processes of this web server where they share it."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = instruments().registry
    if folder := os.environ.get(SHARED_FOLDER):
        _forget_the_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it carries no types here
    return generate_latest(registry).decode()


def _forget_the_dead(folder: Path) -> None:
    """Delete the gauges of processes that ended: what they counted stays, what they had in hand is no more."""
    for file in folder.glob("gauge_live*_*.db"):
        if not psutil.pid_exists(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)
