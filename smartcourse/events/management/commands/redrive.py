"""`manage.py redrive`: give parked deliveries another chance."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartcourse.events.models import Delivery
from smartcourse.events.redelivery import redrive
from smartcourse.events.subscriptions import all_subscriptions


class Command(BaseCommand):
    help = "Give parked deliveries their attempts back, once what made them fail is mended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--subscriber", help="only those of this subscriber (as `manage.py events` shows it)"
        )
        parser.add_argument(
            "--fact", help="only those of this type of fact, or of a family of them: 'progress.*'"
        )
        parser.add_argument("--dry-run", action="store_true", help="say how many, change nothing")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        parked = Delivery.objects.parked()
        if subscriber := options["subscriber"]:
            parked = parked.filter(subscriber=subscriber)
            # One that was renamed or removed may still have parked deliveries; a mere slip of the pen has none.
            if subscriber not in {each.name for each in all_subscriptions()} and not parked.exists():
                raise CommandError(f"Nobody subscribes as {subscriber!r}; `manage.py events` lists who does.")
        if options["fact"]:
            parked = parked.of_fact(options["fact"])
        count = parked.count() if options["dry_run"] else redrive(parked)
        if options["json"]:
            self.stdout.write(json.dumps({"redriven": 0 if options["dry_run"] else count, "parked": count}))
        elif options["dry_run"]:
            self.stdout.write(f"{count} parked deliveries would be tried again.")
        else:
            self.stdout.write(f"{count} parked deliveries will be tried again.")
