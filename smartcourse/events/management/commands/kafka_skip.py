"""`manage.py kafka_skip`: let the facts of an aggregate go on without one that Kafka will never take."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartcourse.events.kafka.drain import NotParked, skip


class Command(BaseCommand):
    help = "Skip a parked fact that Kafka will never take, so that those behind it go on. Its delivery keeps the cause."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("fact", type=UUID, help="its id, as the admin shows it")
        parser.add_argument("--dry-run", action="store_true", help="say what would go on, change nothing")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            behind = skip(fact_id=options["fact"], dry_run=options["dry_run"])
        except NotParked as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps({"skipped": not options["dry_run"], "waiting_behind": behind}))
        else:
            verb = "would be" if options["dry_run"] else "is"
            self.stdout.write(f"The fact {verb} skipped; {behind} facts wait behind it.")
