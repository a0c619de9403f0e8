"""`manage.py rebuild_metrics`: all numbers from scratch."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from analytics.services import rebuild_metrics


class Command(BaseCommand):
    help = "Throw the metrics away and compute them again from the contexts' own rows; the numbers come out the same."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="compute, and keep what there was")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        def show(day: date) -> None:
            if not options["json"] and (day.day == 1 or options["verbosity"] > 1):
                self.stdout.write(f"  {day:%B %Y}")

        with transaction.atomic():
            days = rebuild_metrics(progress=show)
            if options["dry_run"]:
                transaction.set_rollback(True)
        if options["json"]:
            self.stdout.write(json.dumps({"days": days, "kept": not options["dry_run"]}))
        else:
            self.stdout.write(f"{days} days {'would be ' if options['dry_run'] else ''}computed.")
