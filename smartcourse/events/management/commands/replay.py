"""`manage.py replay`: let a subscriber hear everything again."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartcourse.events.redelivery import count_facts_for, replay


class Command(BaseCommand):
    help = (
        "Deliver every fact of its type to a subscriber again, from the beginning, those in the archive too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("subscriber", help="its name, as `manage.py events` shows it")
        parser.add_argument("--dry-run", action="store_true", help="say how many, change nothing")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        subscriber = options["subscriber"]
        try:
            total = count_facts_for(subscriber)
        except LookupError as error:
            raise CommandError(f"{error}; `manage.py events` lists who subscribes.") from error
        if not options["dry_run"]:
            total = replay(subscriber, progress=lambda done: self.stderr.write(f"  {done} of {total} facts"))
        if options["json"]:
            self.stdout.write(
                json.dumps({"subscriber": subscriber, "facts": total, "dry_run": options["dry_run"]})
            )
        else:
            would = "would" if options["dry_run"] else "will"
            self.stdout.write(f"{total} facts {would} be delivered to {subscriber} again.")
