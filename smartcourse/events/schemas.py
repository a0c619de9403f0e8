"""JSON Schemas of all facts, as they are committed for those who consume them, and what may change in one."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from smartcourse.events.facts import Fact, FieldType, own_fields, to_json

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
INDEX = "README.md"
BEGIN, END = "<!-- facts: written by `manage.py events --write` -->", "<!-- end of facts -->"

_FORMS: dict[type, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    UUID: {"type": "string", "format": "uuid"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
}
_FILE = re.compile(r"(?P<type>[a-z_]+\.[a-z_]+)\.v(?P<version>\d+)\.json")
_PLANNED = "*Planned: nothing publishes it yet.*"


def schema_of(fact: type[Fact]) -> Schema:
    """Return the JSON Schema (2020-12) of a fact's payload, in the present version of its class."""
    schema: Schema = {
        "$schema": DIALECT,
        "$id": f"urn:smartcourse:fact:{fact.type}:v{fact.version}",
        "title": f"{fact.type}, version {fact.version}",
        "description": telling_of(fact),
        "type": "object",
        "properties": {f.name: _property(f, fact.field_types[f.name]) for f in own_fields(fact)},
        "required": [f.name for f in own_fields(fact) if f.default is dataclasses.MISSING],
        # A field may be added without a new version: a consumer that refused what it does not know would break then.
        "additionalProperties": True,
        # Annotations of our own: whose facts keep their order among each other, and whether this one is sent at all.
        "x-aggregate": fact.aggregate,
    }
    return {**schema, "x-planned": True} if fact.planned else schema


def telling_of(fact: type[Fact]) -> str:
    """Return what the fact tells, on one line: its docstring."""
    return " ".join((inspect.getdoc(fact) or "").split())


def _property(own: dataclasses.Field[Any], holds: FieldType) -> Schema:
    form = dict(_FORMS[holds.kind])
    if holds.nullable:
        form["type"] = [form["type"], "null"]
    if own.default is not dataclasses.MISSING:
        form["default"] = to_json(own.default)
    return form


def compatible(old: Schema, new: Schema) -> list[str]:
    """Return what breaks who reads by the old schema: nothing, if the new one may stand under the same version.

    A field may be added if it has a default, for facts that were written without it are still to be read. Nothing
    else may change but words. A fact that was only planned has no readers yet.
    """
    if old.get("x-planned"):
        return []
    faults = ["the fact was published, and cannot be planned again"] if new.get("x-planned") else []
    if old["x-aggregate"] != new["x-aggregate"]:
        faults.append(f"its aggregate was {old['x-aggregate']} and is now {new['x-aggregate']}")
    for name, before in old["properties"].items():
        after = new["properties"].get(name)
        faults += (
            [f"{name}: is gone"] if after is None else [f"{name}: {what}" for what in _changes(before, after)]
        )
    for name in new["required"]:
        if name not in old["properties"]:
            faults.append(f"{name}: is new, and has no default")
        elif name not in old["required"]:
            faults.append(f"{name}: was optional, and is now required")
    gone = (name for name in old["required"] if name in new["properties"] and name not in new["required"])
    return faults + [f"{name}: was required, and is now optional" for name in gone]


def _changes(before: Schema, after: Schema) -> Iterator[str]:
    (old_type, old_null), (new_type, new_null) = _type_and_null(before), _type_and_null(after)
    if old_type != new_type:
        yield f"was of type {old_type}, and is now of type {new_type}"
    if old_null != new_null:
        yield "may now be null" if new_null else "might be null, and no longer is"
    if before.get("format") != after.get("format"):
        yield f"was of format {before.get('format')}, and is now of format {after.get('format')}"
    if "default" in before and "default" in after and before["default"] != after["default"]:
        yield f"was {before['default']!r} where it is left out, and is now {after['default']!r}"


def _type_and_null(form: Schema) -> tuple[str, bool]:
    kinds = form["type"] if isinstance(form["type"], list) else [form["type"]]
    return next(kind for kind in kinds if kind != "null"), "null" in kinds


def file_name(fact: type[Fact], version: int | None = None) -> str:
    """Return the name of the file that holds the schema of that version of a fact, by default the present one."""
    return f"{fact.type}.v{version or fact.version}.json"


@dataclass
class Outcome:
    """How committed schemas stand to the facts as they are declared: what may not be, what is to be written."""

    faults: list[str] = field(default_factory=list)
    stale: dict[str, str] = field(default_factory=dict)
    surplus: list[str] = field(default_factory=list)
    unchanged: int = 0

    @property
    def is_current(self) -> bool:
        """Say whether nothing is to be written, taken away or objected to."""
        return not (self.faults or self.stale or self.surplus)


def compare(directory: Path, facts: Collection[type[Fact]]) -> Outcome:
    """Return how the schemas in the directory stand to the facts."""
    outcome = Outcome()
    declared = {fact.type: fact for fact in facts}
    committed = {path.name: json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))}
    for name, schema in committed.items():
        _check_committed(outcome, name, schema, declared)
    outcome.faults += [
        f"{name}: is gone, but was published" for name in _missing(directory, facts, committed)
    ]
    wanted = {file_name(fact): written(schema_of(fact)) for fact in facts}
    wanted[INDEX] = index(_text_of(directory / INDEX), facts, committed)
    for name, text in sorted(wanted.items()):
        if _text_of(directory / name) == text:
            outcome.unchanged += 1
        else:
            outcome.stale[name] = text
    return outcome


def _check_committed(outcome: Outcome, name: str, old: Schema, declared: dict[str, type[Fact]]) -> None:
    match = _FILE.fullmatch(name)
    fact = declared.get(match["type"]) if match else None
    if match is None:
        outcome.faults.append(f"{name}: is no schema of a fact")
    elif fact is None or int(match["version"]) > fact.version:
        if old.get("x-planned"):
            outcome.surplus.append(name)
        else:
            outcome.faults.append(f"{name}: was published, and no fact of that version is declared any more")
    elif int(match["version"]) == fact.version:
        outcome.faults += [f"{name}: {fault}" for fault in compatible(old, schema_of(fact))]


def _missing(directory: Path, facts: Collection[type[Fact]], committed: Collection[str]) -> list[str]:
    """Return the files that there were: older versions, and what the index names as published."""
    older = {file_name(fact, version) for fact in facts for version in range(1, fact.version)}
    rows = (line for line in _text_of(directory / INDEX).splitlines() if _PLANNED not in line)
    indexed = {match[0] for line in rows for match in _FILE.finditer(line)}
    return sorted((older | indexed) - set(committed))


def written(schema: Schema) -> str:
    """Return the schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def index(existing: str, facts: Collection[type[Fact]], committed: Collection[str] = ()) -> str:
    """Return the index with its table renewed; the words around the table are an author's, and stay."""
    lines = ["| fact | versions | aggregate | what it tells | fields |", "| --- | --- | --- | --- | --- |"]
    lines += [_row(fact, committed) for fact in sorted(facts, key=lambda fact: fact.type)]
    before, _, rest = existing.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([(before or "# Facts\n\n") + BEGIN, *lines, END + (after or "\n")])


def _row(fact: type[Fact], committed: Collection[str]) -> str:
    names = {v: file_name(fact, v) for v in range(1, fact.version + 1)}
    versions = ", ".join(
        f"[{v}]({name})" for v, name in names.items() if name in committed or v == fact.version
    )
    telling = f"{telling_of(fact)} {_PLANNED}" if fact.planned else telling_of(fact)
    fields = ", ".join(f"`{f.name}`" for f in own_fields(fact))
    return f"| `{fact.type}` | {versions} | {fact.aggregate} | {telling} | {fields} |"


def write(directory: Path, outcome: Outcome) -> None:
    """Bring the files up to date, and take away those of planned facts that were thought better of.

    Raises:
        ValueError: there are faults; nothing is written.
    """
    if outcome.faults:
        raise ValueError(outcome.faults)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in outcome.stale.items():
        (directory / name).write_text(text)
    for name in outcome.surplus:
        (directory / name).unlink()


def _text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""
