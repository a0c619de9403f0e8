"""`manage.py seed_demo`: courses, people and learners at different points, to look at and to try things on."""

from __future__ import annotations

import dataclasses
import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from smartcourse.demo.accounts import DemoAccount, demo_accounts
from smartcourse.demo.errors import DemoContentError
from smartcourse.demo.seeding import seed_demo
from smartcourse.embedded.datafolder import DEMO_SECRET, local_secret


class Command(BaseCommand):
    help = (
        "Load the demo: three published courses, a draft, their teachers, and learners at different points. Run again, "
        "it finishes what was interrupted, and changes nothing that is there. Not for an installation with real people."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_ALLOWED:
            raise CommandError(
                "The demo has accounts whose passwords are printed; it is for development only."
            )
        accounts = demo_accounts(local_secret(settings.DATA_DIR, DEMO_SECRET))
        # Progress goes to standard error, so that standard output holds the result and nothing else.
        note = self._note if not options["json"] else (lambda line: None)
        try:
            seeded = seed_demo(accounts_told=accounts, at=timezone.now(), report=note)
        except DemoContentError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(dataclasses.asdict(seeded)))
        elif any(dataclasses.asdict(seeded).values()):
            self.stdout.write(
                f"Added {seeded.people} people, {seeded.courses} courses and {seeded.enrollments} enrollments, "
                f"in which {seeded.lessons_completed} lessons were completed."
            )
            self._tell(accounts)
        else:
            self.stdout.write("Everything was there already.")
            self._tell(accounts)

    def _note(self, line: str) -> None:
        self.stderr.write(f"  {line}", style_func=str)

    def _tell(self, accounts: list[DemoAccount]) -> None:
        for account in accounts:
            self.stdout.write(f"  {account.role:<12} {account.email:<36} {account.password}")
