"""Unique words in everything that is held of one person, to be looked for after an export and an erasure."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models import Q

from smartcourse.db.encryption import EncryptedDateField, EncryptedTextField, seal
from smartcourse.db.personal import Holding, Person, all_rooms

NAME, ADDRESS = "Zyxwenna Quillfeather", "zyxwenna.quillfeather@example.org"
PLACE = "203.0.113.77"
SHORTEST = 9
# What the machinery goes by, so another word there would stop it; these are looked after by hand.
LEFT_ALONE = {
    "accounts.User": {"email", "full_name", "password"},
    "workflows.Run": {"process", "key"},
    "accounts.User_groups": set(), "accounts.User_user_permissions": set(),
    "events.OutboxFact": {"type", "aggregate", "payload"}, "events.ArchivedFact": {"type", "aggregate", "payload"},
    "webhooks.WebhookDelivery": {"fact_type"},
}  # fmt: skip


@dataclass
class Planted:
    """By word, where it stands; `told` are those that an export tells, `kept` those that may outlive an erasure."""

    words: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)

    @property
    def untold(self) -> set[str]:
        return set(self.words) - self.told


def holdings() -> list[Holding]:
    return [holding for room in all_rooms() for holding in room.holdings]


def plant(person: Person) -> Planted:
    """Put a word of its own into every column with room for one, of every row about the person."""
    planted, numbers = Planted(), count(1)
    for label in dict.fromkeys(holding.model for holding in holdings()):
        mine = [h for h in holdings() if h.model == label]
        for pk in {pk for h in mine for pk in h.of(person).values_list("pk", flat=True)}:
            about = [h for h in mine if h.of(person).filter(pk=pk).exists()]
            words = {column: f"zq{next(numbers):06d}x" for column in columns_with_room(label)}
            _write(label, pk, words)
            for column, word in words.items():
                planted.words[word] = f"{label}.{column.name}"
                if any(column.name in h.told for h in about):
                    planted.told.add(word)
                if not any(h.deleted or column.name in h.erased for h in about):
                    planted.kept |= {word for h in about if column.name in h.kept}
    return planted


def columns_with_room(label: str) -> Iterator[models.Field[Any, Any]]:
    for column in apps.get_model(label)._meta.concrete_fields:
        if column.name in LEFT_ALONE.get(label, set()) or column.choices or column.primary_key:
            continue
        text = isinstance(column, models.CharField | models.TextField) and not isinstance(
            column, models.FileField | EncryptedDateField
        )
        if isinstance(column, models.JSONField) or (text and (column.max_length or 99) >= SHORTEST):
            yield column


def _write(label: str, pk: Any, words: dict[models.Field[Any, Any], str]) -> None:
    if words:
        values = {column.name: _as_stored(column, pk, word) for column, word in words.items()}
        # Past the models: whatever a mutator or a validator would make of it, the column holds it.
        apps.get_model(label)._base_manager.filter(pk=pk).update(**values)


def _as_stored(column: models.Field[Any, Any], pk: Any, word: str) -> Any:
    if isinstance(column, EncryptedTextField):
        return seal(word, place=column.place_of(pk))
    return {"said": word} if isinstance(column, models.JSONField) else word


def name_in_texts(person: Person) -> int:
    """Have every text of nobody in particular name the person, and return how many there were."""
    named = 0
    for texts in (texts for room in all_rooms() for texts in room.texts):
        own = Q(pk__in=[])
        for holding in (holding for holding in holdings() if holding.model == texts.model):
            own |= Q(pk__in=holding.of(person).values("pk"))
        for column in texts.columns:
            as_json = isinstance(texts.table._meta.get_field(column), models.JSONField)
            words = f"{NAME} <{ADDRESS}>" if texts.names and not as_json else ADDRESS
            others = texts.table._base_manager.exclude(own)
            named += others.update(**{column: {"to": [words, "x"]} if as_json else words})
    return named


def found_in_database(words: set[str]) -> dict[str, set[str]]:
    """Return, by table, which of the words are in any column of any row of it: the catalogue is asked, no model."""
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT row::text FROM "{table}" AS row')  # noqa: S608 - a name from the catalogue
            rows = "\n".join(text for (text,) in cursor.fetchall()).lower()
            if here := {word for word in words if word.lower() in rows}:
                found[table] = here
    return found


def found_in_files(words: set[str]) -> dict[str, set[str]]:
    """Return, by stored file, which of the words are in it or its name; archives are looked into."""
    found: dict[str, set[str]] = {}
    for path in Path(settings.MEDIA_ROOT).rglob("*"):
        if path.is_file():
            content = path.name + _readable(path.read_bytes())
            if here := {word for word in words if word in content}:
                found[path.name] = here
    return found


def _readable(content: bytes) -> str:
    if not content.startswith(b"PK\x03\x04"):
        return content.decode(errors="replace")
    with ZipFile(io.BytesIO(content)) as archive:
        return "".join(name + archive.read(name).decode(errors="replace") for name in archive.namelist())
