"""`manage.py events`: all facts with who hears them, and their schemas. It asks no server anything."""

from __future__ import annotations

import difflib
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartcourse.events import schemas
from smartcourse.events.facts import Fact, all_facts
from smartcourse.events.subscriptions import EVERY_FACT, Subscription, all_subscriptions, subscribers_of

Row = tuple[str, ...]
# The exit code of a wrong call, as argparse has it; 1 is that the schemas are not as they should be.
WRONG_CALL = 2


class Command(BaseCommand):
    help = "List the facts with those who hear them, or check and write their JSON Schemas."
    # It reads what is declared and nothing else, so it runs where no database is.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fact", metavar="TYPE", help="only this one, with its fields")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
        deed = parser.add_mutually_exclusive_group()
        deed.add_argument(
            "--check", action="store_true", help="exit with 1 if committed schemas are out of date"
        )
        deed.add_argument(
            "--write", action="store_true", help="renew the schemas; an incompatible change is refused"
        )
        parser.add_argument("--dry-run", action="store_true", help="with --write: say what would be written")
        parser.add_argument("--directory", type=Path, help="where the schemas are (default: docs/events)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"] and not options["write"]:
            raise CommandError("--dry-run goes with --write.", returncode=WRONG_CALL)
        if options["fact"] and (options["write"] or options["check"]):
            raise CommandError(
                "Schemas are checked and written all together, without --fact.", returncode=WRONG_CALL
            )
        if options["write"] or options["check"]:
            self._handle_schemas(options)
        elif options["json"]:
            self._print_json(_chosen(options["fact"]))
        else:
            lines = _details(*_chosen(options["fact"])) if options["fact"] else _overview(_chosen(None))
            self.stdout.write("\n".join(lines))

    def _print_json(self, facts: list[type[Fact]]) -> None:
        self.stdout.write(json.dumps({"facts": [_described(fact) for fact in facts]}, indent=2))

    def _handle_schemas(self, options: dict[str, Any]) -> None:
        directory = options["directory"] or settings.BASE_DIR / "docs" / "events"
        outcome = schemas.compare(directory, all_facts().values())
        written = options["write"] and not options["dry_run"] and not outcome.faults
        if written:
            schemas.write(directory, outcome)
        report = self._report_json if options["json"] else self._report
        report(outcome, written=written)
        if outcome.faults:
            raise CommandError(
                "This would break who reads the facts: raise the version of one that changed, restore what is gone."
            )
        if options["check"] and not outcome.is_current:
            raise CommandError("The schemas are out of date; `manage.py events --write` renews them.")

    def _report_json(self, outcome: schemas.Outcome, *, written: bool) -> None:
        document = {
            "faults": outcome.faults,
            "stale": sorted(outcome.stale),
            "surplus": outcome.surplus,
            "unchanged": outcome.unchanged,
            "written": written,
        }
        self.stdout.write(json.dumps(document, indent=2))

    def _report(self, outcome: schemas.Outcome, *, written: bool) -> None:
        for fault in outcome.faults:
            self.stderr.write(fault)
        for name in sorted(outcome.stale):
            self.stdout.write(f"{'written' if written else 'out of date'}: {name}")
        for name in outcome.surplus:
            self.stdout.write(f"{'taken away' if written else 'surplus'}: {name}")
        if outcome.is_current:
            self.stdout.write(f"All {outcome.unchanged} files are up to date.")


def _chosen(type_: str | None) -> list[type[Fact]]:
    facts = all_facts()
    if type_ is None:
        return [facts[name] for name in sorted(facts)]
    if type_ in facts:
        return [facts[type_]]
    # Half of "certificate.issued" is enough of a likeness to offer it for "certificates.issue".
    near = difflib.get_close_matches(type_, facts, n=3, cutoff=0.5)
    hint = f" Near to it: {', '.join(near)}." if near else " `manage.py events` lists them all."
    raise CommandError(f"No fact is called {type_!r}.{hint}", returncode=WRONG_CALL)


def _described(fact: type[Fact]) -> dict[str, Any]:
    return {
        "type": fact.type,
        "version": fact.version,
        "aggregate": fact.aggregate,
        "planned": fact.planned,
        "description": schemas.telling_of(fact),
        "fields": {name: _field(fact, name) for name in fact.field_types},
        "listeners": [
            {"name": s.name, "queue": s.queue, "every_fact": s.fact_type == EVERY_FACT}
            for s in _by_name(subscribers_of(fact.type))
        ],
    }


def _field(fact: type[Fact], name: str) -> str:
    holds = fact.field_types[name]
    return f"{holds.kind.__name__} or None" if holds.nullable else holds.kind.__name__


def _by_name(subscriptions: list[Subscription]) -> list[Subscription]:
    return sorted(subscriptions, key=lambda s: s.name)


def _overview(facts: list[type[Fact]]) -> list[str]:
    rows: list[Row] = [("FACT", "VERSION", "AGGREGATE", "HEARD BY", "QUEUE")]
    for fact in facts:
        heard = [s for s in _by_name(subscribers_of(fact.type)) if s.fact_type != EVERY_FACT]
        version = f"{fact.version}, planned" if fact.planned else str(fact.version)
        rows += _under((fact.type, version, fact.aggregate), heard)
    everywhere = [s for s in _by_name(all_subscriptions()) if s.fact_type == EVERY_FACT]
    if everywhere:
        rows += _under(("every fact", "", ""), everywhere)
    published = sum(not fact.planned for fact in facts)
    summary = f"{len(facts)} facts, {published} of them published, {len(facts) - published} planned."
    return [*_aligned(rows), "", summary]


def _under(first: Row, heard: list[Subscription]) -> Iterator[Row]:
    """Yield the rows of one fact: a listener each, named beside the fact once."""
    if not heard:
        yield (*first, "nobody yet", "")
    for position, one in enumerate(heard):
        yield (*(first if position == 0 else ("", "", "")), one.name, one.queue)


def _details(fact: type[Fact]) -> list[str]:
    planned = ", planned: not published yet" if fact.planned else ""
    fields: list[Row] = [(f"  {name}", _field(fact, name)) for name in fact.field_types]
    heard: list[Row] = [
        (f"  {s.name}", s.queue, "hears every fact" if s.fact_type == EVERY_FACT else "")
        for s in _by_name(subscribers_of(fact.type))
    ]
    return [
        f"{fact.type}, version {fact.version}, in order per {fact.aggregate}{planned}",
        *textwrap.wrap(schemas.telling_of(fact), width=100),
        "",
        "Fields",
        *_aligned(fields),
        "",
        "Heard by",
        *(_aligned(heard) if heard else ["  nobody yet"]),
    ]


def _aligned(rows: list[Row]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
