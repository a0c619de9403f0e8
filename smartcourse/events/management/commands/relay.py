"""`manage.py relay`: the process that takes facts out of the outbox."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from smartcourse.events.relay import Relay


class Command(BaseCommand):
    help = "Relay facts from the outbox to their subscribers until stopped. One relay is active; others wait."

    stopped = False

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        self.stdout.write("Relaying facts; stop with Ctrl-C.")
        while not self.stopped:
            try:
                Relay(stopping=lambda: self.stopped).run()
            except (OperationalError, InterfaceError) as error:
                self.stderr.write(f"The database does not answer ({error}); trying again.")
                connection.close()
                time.sleep(1)

    def stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopped = True
