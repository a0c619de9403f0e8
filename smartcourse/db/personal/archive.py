"""An export: a ZIP with one JSON file a table, in a folder a room, and the files that belong to them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from smartcourse.db.encryption import EncryptedTextField
from smartcourse.db.personal.declarations import Holding, Person, all_rooms

ROWS_AT_ONCE = 500


def write_archive(stream: IO[bytes], *, person: Person, at: datetime) -> dict[str, int]:
    """Write all that is told of a person to the stream, and return how many rows of each table.

    Rows go through one at a time, so that years of a person's work never stand in memory.
    """
    counts: dict[str, int] = {}
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for room in all_rooms():
            for holding in room.holdings:
                if holding.told:
                    counts[f"{room.name}/{holding.name}"] = _write_rows(archive, room.name, holding, person)
                _write_files(archive, room.name, holding, person)
        about = {"person": person.id, "written_at": at, "rows": counts}
        archive.writestr("about.json", json.dumps(about, cls=DjangoJSONEncoder, indent=2))
    return counts


def _write_rows(archive: ZipFile, room: str, holding: Holding, person: Person) -> int:
    rows = holding.of(person).order_by("pk").values(*{"pk", *holding.told}).iterator(chunk_size=ROWS_AT_ONCE)
    count = 0
    with archive.open(f"{room}/{holding.name}.json", "w", force_zip64=True) as out:
        for line in _lines(_in_the_clear(rows, holding)):
            out.write(line.encode())
            count += 1
        out.write(b"\n]\n" if count else b"[]\n")
    return count


def _in_the_clear(rows: Iterator[dict[str, Any]], holding: Holding) -> Iterator[dict[str, Any]]:
    """Yield what is told of each row; what is encrypted in its column is the person's to read."""
    columns: Any = holding.table._meta.local_concrete_fields  # noqa: SLF001 - a documented part of Django
    sealed = [c for c in columns if isinstance(c, EncryptedTextField) and c.name in holding.told]
    for row in rows:
        for column in sealed:
            if row[column.name]:
                row[column.name] = column.open(row["pk"], row[column.name])
        yield {name: row[name] for name in holding.told}


def _lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    before = "[\n"
    for row in rows:
        yield before + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)
        before = ",\n"


def _write_files(archive: ZipFile, room: str, holding: Holding, person: Person) -> None:
    if not holding.files:
        return
    for row in holding.of(person).order_by("pk").iterator(chunk_size=ROWS_AT_ONCE):
        for column in holding.files:
            if file := getattr(row, column):
                _write_file(archive, f"{room}/{holding.name}/{_name_of(row, column)}", file)


def _name_of(row: Model, column: str) -> str:
    # Our own name: what somebody called a file may lead out of the folder that it is unpacked into.
    return f"{row.pk}-{column}{PurePosixPath(getattr(row, column).name).suffix.lower()[:10]}"


def _write_file(archive: ZipFile, name: str, file: Any) -> None:
    try:
        stored = file.open("rb")
    except FileNotFoundError:
        # One that the storage has lost is no reason to tell the person nothing.
        archive.writestr(f"{name}.missing.txt", "This file is not in our storage any more.\n")
        return
    with stored, archive.open(name, "w", force_zip64=True) as out:
        shutil.copyfileobj(stored, out)
