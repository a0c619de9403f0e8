"""The edge of every request: an id for it, one timed line in the log, and its share in the numbers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from smartcourse.db.identifiers import uuid7
from smartcourse.observability import exposition
from smartcourse.observability.context import request_context
from smartcourse.observability.draining import is_draining
from smartcourse.observability.metrics import instruments

GetResponse = Callable[[HttpRequest], HttpResponse]

# What a client may name its request: enough for a UUID or a trace id, nothing that could break a log line.
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")

# Of a word that a client made up there is no row in the numbers.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger("smartcourse.access")


class MetricsMiddleware:
    """Measures every request, and answers /metrics to who may read it; others learn that there is nothing.

    By the template of the route and never by the path: ids would make a row for each. What no route took (a refusal
    before it was looked for, a file, nothing at all) is one route of its own.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == exposition.PATH and request.method == "GET" and exposition.may_read(request):
            return exposition.exposition()
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        labels = (
            request.method if request.method in METHODS else "other",
            match.route if match else "unrouted",
            response.status_code,
        )
        instruments().requests.labels(*labels).observe(time.perf_counter() - started)
        return response


class RequestIdMiddleware:
    """Accepts `X-Request-Id` or gives one, and echoes it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get("X-Request-Id", "")
        request_id = offered if ACCEPTABLE_ID.fullmatch(offered) else str(uuid7())
        with request_context(request_id):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class AccessLogMiddleware:
    """Writes one line a request: method, path, status, milliseconds. The query string stays out: it may hold tokens."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )
        return response


class DrainingMiddleware:
    """Ends the connection with each answer once the web server has been asked to end.

    A proxy keeps connections open for the next request. One that is sent just as the server closes them is lost, and a
    POST may not be sent again; over a new connection, a server that is gone refuses, and the proxy asks another.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_draining():
            response["Connection"] = "close"
        return response
