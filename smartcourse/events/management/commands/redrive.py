"""`manage.py redrive`: give parked deliveries another chance."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from smartcourse.events.deliveries import redrive
from smartcourse.events.models import Delivery, DeliveryStatus


class Command(BaseCommand):
    help = "Give parked deliveries their attempts back, once what made them fail is mended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--subscriber", help="only those of this subscriber (as the admin shows it)")
        parser.add_argument("--dry-run", action="store_true", help="say how many, change nothing")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        parked = Delivery.objects.filter(status=DeliveryStatus.PARKED)
        if options["subscriber"]:
            parked = parked.filter(subscriber=options["subscriber"])
        count = parked.count() if options["dry_run"] else redrive(parked)
        if options["json"]:
            self.stdout.write(json.dumps({"redriven": 0 if options["dry_run"] else count, "parked": count}))
        elif options["dry_run"]:
            self.stdout.write(f"{count} parked deliveries would be tried again.")
        else:
            self.stdout.write(f"{count} parked deliveries will be tried again.")
