"""`manage.py unlock_account`: let somebody sign in again, wherever too many wrong passwords came from."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts import services


class Command(BaseCommand):
    help = "Forget the wrong passwords for an account; the places that it knows stay known."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--dry-run", action="store_true", help="say how many places are locked, change nothing"
        )
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        locked = services.locked_places(email=options["email"], at=timezone.now())
        if not options["dry_run"]:
            services.unlock_account(email=options["email"])
        if options["json"]:
            self.stdout.write(json.dumps({"locked": locked, "unlocked": not options["dry_run"]}))
        elif options["dry_run"]:
            self.stdout.write(f"{locked} places are locked.")
        else:
            self.stdout.write(f"Unlocked; {locked} places were locked.")
