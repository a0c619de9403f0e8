"""The answer at /metrics, in the text format of Prometheus, and who may have it."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from hmac import compare_digest
from ipaddress import ip_address, ip_network

import django
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse

from smartcourse.observability.metrics import counted
from smartcourse.observability.readings import Family, provide, read_all

PATH = "/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# What a proxy adds. Behind one, the address of the connection is the proxy's, whoever asks.
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")
_CONNECTIONS = """
    SELECT coalesce(state, 'unknown'), count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1
"""


def may_read(request: HttpRequest) -> bool:
    """Return whether the request has the token, or comes straight from a network whose machines need none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and kind.lower() == "bearer":
        return compare_digest(token.strip().encode(errors="replace"), settings.METRICS_TOKEN.encode())
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        peer = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(peer in ip_network(network) for network in settings.METRICS_NETWORKS)


def exposition() -> HttpResponse:
    """Return everything that is counted and read, as far as it can be had."""
    return HttpResponse(counted() + _told([build(), *read_all()]), content_type=CONTENT_TYPE)


def _told(families: Sequence[Family]) -> str:
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.registry import Collector

    class Told(Collector):
        def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
            for family in families:
                kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
                metric = kind(family.name, family.help, labels=family.labels)
                for labels, value in family.values:
                    metric.add_metric(labels, value)
                yield metric

    registry = CollectorRegistry()
    registry.register(Told())
    return generate_latest(registry).decode()


def build() -> Family:
    """Tell which release runs."""
    versions = (settings.SMARTCOURSE_VERSION, platform.python_version(), django.get_version())
    return Family(
        "smartcourse_build_info", "The release that runs; always 1.", [(versions, 1)],
        labels=("version", "python", "django"),
    )  # fmt: skip


def read_connections() -> Iterator[Family]:
    """Tell how many connections the database has to all processes, by what they do."""
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTIONS)
        found = cursor.fetchall()
    yield Family(
        "smartcourse_database_connections", "Connections of all processes to the database, by PostgreSQL's own state.",
        [((state,), count) for state, count in found], labels=("state",),
    )  # fmt: skip


def read_redis() -> Iterator[Family]:
    """Ask Redis for anything, so that it is known to answer."""
    if settings.REDIS_URL:
        cache.get("ready")
    yield from ()


provide("database", read_connections)
provide("redis", read_redis)
