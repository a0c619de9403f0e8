"""`manage.py import_course`: a Common Cartridge becomes a course."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User, normalise_email
from courses import services
from courses.models import Course
from courses.services import ImportResult, ImportRow
from smartcourse.errors import DomainError
from smartcourse.workflows.models import Run, RunStatus
from smartcourse.workflows.services import drive


class Command(BaseCommand):
    help = "Make a course of a Common Cartridge (.imscc), and say row by row what was imported and what could not be."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="the cartridge, a file of type .imscc or .zip")
        parser.add_argument(
            "--owner", required=True, help="e-mail address of the instructor whose course it will be"
        )
        parser.add_argument("--publish", action="store_true", help="publish it at once")
        parser.add_argument("--dry-run", action="store_true", help="read and check everything, keep nothing")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        quiet = options["json"]
        result = self._import(options)
        if not quiet:
            self._print_rows(result)
        run = self._publish(result.course) if options["publish"] and result.course else None
        if quiet:
            self.stdout.write(json.dumps(_document(result)))
        if run is not None:
            self._tell_of(run)

    def _import(self, options: dict[str, Any]) -> ImportResult:
        path = self._file(options["path"])
        try:
            return services.import_course(
                path=path,
                owner=self._owner(options["owner"]),
                report=self._note,
                dry_run=options["dry_run"],
            )
        except DomainError as error:
            raise CommandError(error.detail) from error
        except OSError as error:
            # The disk is full, or the storage does not answer.
            raise CommandError(f"The import broke off, and nothing was kept: {error}.") from error

    def _note(self, line: str) -> None:
        # Progress goes to standard error, so that standard output holds the report and nothing else.
        self.stderr.write(f"  {_printable(line)}", style_func=str)

    def _file(self, path: Path) -> Path:
        try:
            path.open("rb").close()
        except FileNotFoundError as error:
            raise CommandError(f"There is no file {path}.") from error
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        return path

    def _owner(self, email: str) -> User:
        owner: User | None = User.objects.active().filter(email=normalise_email(email)).first()
        if owner is None:
            raise CommandError(f"Nobody has the address {email}.")
        return owner

    def _publish(self, course: Course) -> Run:
        self._note("Publishing")
        with transaction.atomic():
            return drive(services.request_publication(course_id=course.pk, by=course.instructor_id))

    def _tell_of(self, run: Run) -> None:
        if run.status == RunStatus.COMPLETED:
            self._note("Published: it is in the catalogue.")
        else:
            raise CommandError(f"The course was imported as a draft, but not published: {run.error}")

    def _print_rows(self, result: ImportResult) -> None:
        for title, rows in (("Imported", result.imported), ("Not imported", result.skipped)):
            if rows:
                self.stdout.write(f"\n{title}")
            for row in rows:
                detail = f"  ({row.detail})" if row.detail else ""
                self.stdout.write(f"  {row.kind:<12} {_printable(f'{row.title or row.source}{detail}')}")
        if result.course is None:
            self.stdout.write("\nThis was a dry run: nothing was kept.")
        else:
            counts = f"{len(result.imported)} imported, {len(result.skipped)} not"
            self.stdout.write(
                self.style.SUCCESS(f"\n“{_printable(result.course.title)}” ({result.course.pk}): {counts}.")
            )


def _printable(text: str) -> str:
    """Return the text without what would steer a terminal; it comes from somebody else's file."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _document(result: ImportResult) -> dict[str, Any]:
    def shown(row: ImportRow) -> dict[str, str]:
        return {"kind": row.kind, "title": row.title, "source": row.source, "detail": row.detail}

    return {
        "course_id": str(result.course.pk) if result.course else None,
        "imported": [shown(row) for row in result.imported],
        "skipped": [shown(row) for row in result.skipped],
    }
