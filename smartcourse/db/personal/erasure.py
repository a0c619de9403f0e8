"""An erasure: what a room declares of a person's rows is done to them."""

from __future__ import annotations

import re
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import JSONField, Q, TextField
from django.db.models.functions import Cast

from smartcourse.db.personal.declarations import Holding, Person, Room, Texts

SURELY_A_NAME = 8


def erase_room(room: Room, *, person: Person, at: datetime) -> dict[str, int]:
    """Erase a person in one room, in the open transaction, and return how many rows of each table; may be repeated."""
    if room.erase is not None:
        room.erase(person, at)
    done = {f"{room.name}/{holding.name}": _erase_rows(holding, person) for holding in room.holdings}
    done |= {f"{room.name}/{texts.model}": _empty_texts(texts, person) for texts in room.texts}
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


def _empty_texts(texts: Texts, person: Person) -> int:
    emptied = 0
    for column in texts.columns if person.words else ():
        field = texts.table._meta.get_field(column)  # noqa: SLF001 - a documented part of Django (Model _meta API)
        every = texts.table._base_manager.annotate(_text=Cast(column, TextField()))  # noqa: SLF001 - documented likewise
        rows = every.filter(reduce(or_, map(_names, person.words)))
        emptied += rows.update(**{column: {} if isinstance(field, JSONField) else ""})
    return emptied


def _names(word: str) -> Q:
    """Match texts with the word in them; a short one by itself only: somebody may be called Li."""
    if len(word) >= SURELY_A_NAME:
        return Q(_text__icontains=word)
    return Q(_text__iregex=rf"(?<!\w){re.escape(word)}(?!\w)")
