"""`manage.py archive_facts`: what beat does every hour, by hand."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from smartcourse.events.retention import archivable_facts, archive_facts, prune_archive


class Command(BaseCommand):
    help = (
        "Move facts that everybody has handled from the outbox to the archive, and delete the oldest there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=float, help="archive what was relayed so long ago (OUTBOX_ARCHIVE_DAYS)"
        )
        parser.add_argument("--dry-run", action="store_true", help="say how many, change nothing")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        if options["dry_run"]:
            archived, deleted = archivable_facts(days=days).count(), 0
        else:
            archived, deleted = archive_facts(days=days), prune_archive()
        if options["json"]:
            self.stdout.write(
                json.dumps({"archived": archived, "deleted": deleted, "dry_run": options["dry_run"]})
            )
        elif options["dry_run"]:
            self.stdout.write(f"{archived} facts would go to the archive.")
        else:
            self.stdout.write(f"{archived} facts went to the archive; {deleted} were deleted from it.")
