"""`manage.py import_course`: a Common Cartridge becomes a course."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User, normalise_email
from courses import services
from courses.models import Course
from courses.services import ImportResult, ImportRow
from smartcourse.errors import DomainError
from smartcourse.workflows.models import Run, RunStatus
from smartcourse.workflows.services import advance


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
        try:
            result = services.import_course(
                path=self._file(options["path"]),
                owner=self._owner(options["owner"]),
                report=self._note,
                dry_run=options["dry_run"],
            )
        except DomainError as error:
            raise CommandError(error.detail) from error
        if not quiet:
            self._print_rows(result)
        published = self._publish(result.course) if options["publish"] and result.course else None
        if quiet:
            self.stdout.write(json.dumps(_document(result)))
        if published is not None and published.status != RunStatus.COMPLETED:
            raise CommandError(f"The course was imported as a draft, but not published: {published.error}")

    def _note(self, line: str) -> None:
        # Progress goes to standard error, so that standard output holds the report and nothing else.
        self.stderr.write(f"  {line}", style_func=str)

    def _file(self, path: Path) -> Path:
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        return path

    def _owner(self, email: str) -> User:
        owner: User | None = User.objects.active().filter(email=normalise_email(email)).first()
        if owner is None:
            raise CommandError(f"Nobody has the address {email}.")
        return owner

    def _publish(self, course: Course) -> Run:
        """Drive the publishing process here and now; a worker that was quicker is just as well."""
        self._note("Publishing")
        run = services.request_publication(course_id=course.pk, by=course.instructor_id)
        advance(run.pk)
        run.refresh_from_db()
        return run

    def _print_rows(self, result: ImportResult) -> None:
        for title, rows in (("Imported", result.imported), ("Not imported", result.skipped)):
            if rows:
                self.stdout.write(f"\n{title}")
            for row in rows:
                detail = f"  ({row.detail})" if row.detail else ""
                self.stdout.write(f"  {row.kind:<12} {row.title or row.source}{detail}")
        if result.course is None:
            self.stdout.write("\nThis was a dry run: nothing was kept.")
        else:
            counts = f"{len(result.imported)} imported, {len(result.skipped)} not"
            self.stdout.write(
                self.style.SUCCESS(f"\n“{result.course.title}” ({result.course.pk}): {counts}.")
            )


def _document(result: ImportResult) -> dict[str, Any]:
    def shown(row: ImportRow) -> dict[str, str]:
        return {"kind": row.kind, "title": row.title, "source": row.source, "detail": row.detail}

    return {
        "course_id": str(result.course.pk) if result.course else None,
        "imported": [shown(row) for row in result.imported],
        "skipped": [shown(row) for row in result.skipped],
    }
