"""`manage.py redrive_tasks`: send dead letters again."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from smartcourse.queues.dead_letters import redrive_letters
from smartcourse.queues.models import DeadLetter


class Command(BaseCommand):
    help = "Send the tasks among the dead letters again, once what made them fail is mended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--task", help="only those of this task, such as notifications.send_message")
        parser.add_argument("--queue", help="only those of this queue")
        parser.add_argument("--dry-run", action="store_true", help="say how many, change nothing")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = {name: options[name] for name in ("task", "queue") if options[name]}
        letters = DeadLetter.objects.open().filter(**wanted)
        count = letters.count()
        sent = 0 if options["dry_run"] else redrive_letters(letters)
        if options["json"]:
            self.stdout.write(json.dumps({"dead": count, "redriven": sent}))
        elif options["dry_run"]:
            self.stdout.write(f"{count} dead letters would be sent again.")
        else:
            self.stdout.write(f"{sent} of {count} dead letters were sent again.")
