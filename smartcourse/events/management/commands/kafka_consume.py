"""`manage.py kafka_consume`: print facts as they come from Kafka, one JSON document a line."""

from __future__ import annotations

import dataclasses
import json
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartcourse.events.kafka.client import KafkaNotConfigured
from smartcourse.events.kafka.consumer import FactConsumer, IncomingFact
from smartcourse.events.kafka.topics import TOPICS


class Command(BaseCommand):
    help = "Print facts as they come from Kafka, one JSON document a line, until stopped. An example to copy."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--group", required=True, help="consumers of one group share the partitions")
        parser.add_argument(
            "--topic",
            action="append",
            required=True,
            dest="topics",
            choices=[topic.name for topic in TOPICS],
            metavar="TOPIC",
            help="by its own name, whatever the cluster calls it; may be given more than once",
        )
        parser.add_argument("--limit", type=int, help="stop after so many facts")

    def handle(self, *args: Any, **options: Any) -> None:
        names = {topic.name: topic.cluster_name for topic in TOPICS}
        left = options["limit"]

        def show(fact: IncomingFact) -> None:
            nonlocal left
            self.stdout.write(json.dumps(dataclasses.asdict(fact), default=str))
            self.stdout.flush()
            if left is not None:
                left -= 1
                if left <= 0:
                    consumer.stop()

        consumer = FactConsumer(
            show, group=options["group"], topics=[names[topic] for topic in options["topics"]]
        )
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: consumer.stop())
        try:
            consumer.run()
        except KafkaNotConfigured as error:
            raise CommandError(str(error)) from None
