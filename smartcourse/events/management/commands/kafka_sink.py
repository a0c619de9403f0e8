"""`manage.py kafka_sink`: the process that takes facts to Kafka."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connection

from smartcourse.events.kafka.client import KafkaNotConfigured, check_configuration
from smartcourse.events.kafka.sink import KafkaSink


class Command(BaseCommand):
    help = "Take facts to Kafka until stopped, in order per aggregate. One sink is active; others wait."

    stopped = False

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        try:
            check_configuration()
            self.stdout.write("Taking facts to Kafka; stop with Ctrl-C.")
            self.run()
        except KafkaNotConfigured as error:
            raise CommandError(str(error)) from None

    def run(self) -> None:
        while not self.stopped:
            try:
                KafkaSink(stopping=lambda: self.stopped).run()
            except (OperationalError, InterfaceError) as error:
                self.stderr.write(f"The database does not answer ({error}); trying again.")
                connection.close()
                time.sleep(1)

    def stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopped = True
