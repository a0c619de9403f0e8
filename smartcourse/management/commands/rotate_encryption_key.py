"""`manage.py rotate_encryption_key`: bring everything that is encrypted under the present key."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartcourse.db.encryption import present_key_id
from smartcourse.db.resealing import Column, encrypted_columns, reseal


class Command(BaseCommand):
    help = (
        "Encrypt anew, under DATA_ENCRYPTION_KEY, what was encrypted under one of DATA_ENCRYPTION_PREVIOUS_KEYS. "
        "It may be interrupted and run again; afterwards the former keys can be taken away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say how much there is, change nothing")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        quiet, columns = options["json"], list(encrypted_columns())
        for column in columns:
            self._do(column, dry_run=options["dry_run"], quiet=quiet)
        if quiet:
            self.stdout.write(json.dumps({"key": present_key_id(), "columns": [_told(c) for c in columns]}))
        lost = sum(column.unreadable for column in columns)
        if lost:
            raise CommandError(
                f"{lost} values cannot be opened by any key of the settings, and were left as they are. "
                "The log names their rows. Take no former key away."
            )

    def _do(self, column: Column, *, dry_run: bool, quiet: bool) -> None:
        def tell(seen: int) -> None:
            if not quiet:
                self.stdout.write(f"  {column.name}: {seen} looked at", ending="\r")
                self.stdout.flush()

        reseal(column, dry_run=dry_run, progress=tell)
        if quiet:
            return
        total = sum(column.by_key.values())
        did = f"{column.former} to be encrypted anew" if dry_run else f"{column.resealed} encrypted anew"
        self.stdout.write(f"  {column.name}: {total} values, {did}, key {present_key_id()}")


def _told(column: Column) -> dict[str, Any]:
    return {
        "column": column.name,
        "values_by_key": dict(column.by_key),
        "encrypted_anew": column.resealed,
        "unreadable": column.unreadable,
    }
