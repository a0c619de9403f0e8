"""`manage.py kafka_topics`: create the topics that the facts go to."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartcourse.events.kafka.client import KafkaNotConfigured
from smartcourse.events.kafka.creation import TopicReport, TopicsNotCreated, create_topics


class Command(BaseCommand):
    help = "Create the topics that facts go to, with their partitions and retention; leave those that exist."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dead-letters",
            action="store_true",
            help="create a topic for the dead letters of each too (<name>.dlq)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be created, create nothing"
        )
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            reports = create_topics(dead_letters=options["dead_letters"], dry_run=options["dry_run"])
        except (KafkaNotConfigured, TopicsNotCreated) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps([report.as_dict() for report in reports]))
            return
        for report in reports:
            self.stdout.write(self._line(report, dry_run=options["dry_run"]))

    def _line(self, report: TopicReport, *, dry_run: bool) -> str:
        if report.exists:
            there = f"{report.cluster_name} is there, with {report.partitions_there} partitions"
            return there if report.agrees else f"{there} instead of {report.partitions}"
        verb = "would be" if dry_run else "is"
        return f"{report.cluster_name} {verb} created: {report.partitions} partitions, {report.retention_days} days"
