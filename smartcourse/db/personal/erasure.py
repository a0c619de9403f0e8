"""An erasure: what a room declares of a person's rows is done to them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.db.models import F, Field, Func, JSONField, TextField, Value
from django.db.models.functions import Cast

from smartcourse.db.personal.declarations import Holding, Person, Room, Texts

GONE = "…"
"""What stands in a text in the place of a word: no longer than any, so that it fits wherever that did."""


def erase_room(room: Room, *, person: Person, at: datetime) -> dict[str, int]:
    """Erase a person in one room, in the open transaction, and return how many rows of each table; may be repeated."""
    if room.erase is not None:
        room.erase(person, at)
    done = {f"{room.name}/{holding.name}": _erase_rows(holding, person) for holding in room.holdings}
    done |= {f"{room.name}/{texts.model}": _clear_texts(texts, person) for texts in room.texts}
    return {name: count for name, count in done.items() if count}


def _erase_rows(holding: Holding, person: Person) -> int:
    rows = holding.of(person)
    # Before the commit: should this process die in between, the step is repeated, and a file that is gone stays gone.
    for column in holding.files:
        if holding.deleted or column in holding.erased:
            for row in rows.exclude(**{column: ""}).iterator():
                file = getattr(row, column)
                file.storage.delete(file.name)
    if holding.deleted:
        return rows.delete()[1].get(holding.model, 0)
    return rows.update(**holding.erased) if holding.erased else 0


def _clear_texts(texts: Texts, person: Person) -> int:
    cleared = 0
    for column in texts.columns:
        field = texts.table._meta.get_field(column)  # noqa: SLF001 - a documented part of Django (Model _meta API)
        as_json = isinstance(field, JSONField)
        # A name may hold what JSON is made of; an address in it is always within one of its texts.
        words = [*person.addresses, *([person.name] if texts.names and person.name and not as_json else [])]
        for word in words:
            cleared += _take_out(texts, column, _pattern_of(word), JSONField() if as_json else TextField())
    return cleared


def _take_out(texts: Texts, column: str, pattern: str, kind: Field[Any, Any]) -> int:
    every = texts.table._base_manager.annotate(_text=Cast(column, TextField()))  # noqa: SLF001 - as in `declarations`
    without = Func(F("_text"), Value(pattern), Value(GONE), Value("gi"), function="REGEXP_REPLACE")
    named = every.filter(_text__iregex=pattern)
    return int(named.update(**{column: Cast(without, kind)}))


def _pattern_of(word: str) -> str:
    """Return the regular expression of PostgreSQL for the word by itself: somebody may be called Li."""
    return rf"(?<!\w){re.escape(word)}(?!\w)"
