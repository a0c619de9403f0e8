"""`manage.py serve`: the web server, which leaves its balancer before it ends."""

from __future__ import annotations

import os
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from granian.constants import Interfaces
from granian.server.mp import MPServer

from smartcourse.observability.draining import marker_of
from smartcourse.observability.metrics import shared_by_processes

KILLED_AFTER = 10
"""Seconds that a worker may take over what it has in hand once it has stopped to take more."""


class DrainingServer(MPServer):
    """Asked to end, it says so at /api/v1/ready and serves on for `drain` seconds; asked twice, it ends at once.

    A server that stops where it stands drops the connections that are made to it in that moment, and whoever sends
    requests to it cannot know yet. In these seconds a balancer that asks whether it is ready learns to leave it alone.
    """

    def __init__(self, *args: Any, drain: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self.drain = drain
        self.marker = marker_of(os.getpid())
        self.marker.parent.mkdir(parents=True, exist_ok=True)
        self.marker.unlink(missing_ok=True)
        self.on_shutdown(lambda: self.marker.unlink(missing_ok=True))

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Begin to end; granian calls it for SIGTERM and SIGINT."""
        if self.drain <= 0 or self.marker.exists():
            super().signal_handler_interrupt()  # type: ignore[no-untyped-call]  # granian carries no types here
            return
        self.marker.touch()
        timer = threading.Timer(self.drain, super().signal_handler_interrupt)
        timer.daemon = True
        timer.start()


class Command(BaseCommand):
    help = "Serve the site and its API. On SIGTERM it is no longer ready, serves on for a while, and ends."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
        parser.add_argument("--threads", type=int, default=4, help="threads of each process")
        parser.add_argument(
            "--drain", type=float, default=settings.WEB_DRAIN_SECONDS, metavar="SECONDS",
            help="how long to serve on once asked to end (%(default)s, WEB_DRAIN_SECONDS)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        # Workers are forked: nothing that is open here may be theirs.
        server = DrainingServer(
            "smartcourse.wsgi:application",
            address=options["host"],
            port=options["port"],
            interface=Interfaces.WSGI,
            workers=options["workers"],
            blocking_threads=options["threads"],
            workers_kill_timeout=KILLED_AFTER,
            respawn_failed_workers=True,
            drain=options["drain"],
        )
        with shared_by_processes():
            server.serve()
