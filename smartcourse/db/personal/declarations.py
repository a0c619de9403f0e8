"""How a room says what it holds of people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model, QuerySet


@dataclass(frozen=True)
class Person:
    """Whom it is about, and the words by which texts that belong to nobody (errors, logs) may name them.

    Both are gone once accounts was erased. `addresses` are all that they ever had.
    """

    id: UUID
    addresses: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Holding:
    """Rows of one table that are about a person; those rows are found by `person`, a lookup, or by `rows`.

    told: the columns that an export tells. files: columns whose files go into it. untold: the others, each with the
    reason. deleted: the rows go with the person. erased: else, what stands in a column afterwards (a value or an
    expression). kept: what stays as it is, each with the reason.
    """

    model: str
    person: str = ""
    rows: Callable[[Person], QuerySet[Any]] | None = None
    told: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    untold: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False
    erased: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    # The file in the export, where one table is told twice: as what was done to somebody, and by somebody.
    called: str = ""

    @property
    def name(self) -> str:
        """What the file in the export is called."""
        return self.called or self.model.rpartition(".")[2].lower()

    @property
    def table(self) -> type[Model]:
        return apps.get_model(self.model)

    def of(self, person: Person) -> QuerySet[Any]:
        """Return the rows about that person."""
        if self.rows is not None:
            return self.rows(person)
        return self.table._base_manager.filter(**{self.person: person.id})  # noqa: SLF001 - documented: no filter of its own


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Columns of one table that are about nobody, and may name somebody all the same: an error, a log.

    At an erasure each address of the person is taken out of them; with `names`, the name too. That is for what only
    operators read: people choose their names, and one called "Welcome to" must not reach into others' mails.
    """

    model: str
    columns: tuple[str, ...]
    names: bool = False

    @property
    def table(self) -> type[Model]:
        return apps.get_model(self.model)


@dataclass(frozen=True)
class Room:
    """All that one room declares. `erase` is done before its rows are: what is more than rows (a seat, a session).

    `impersonal` names the tables that hold nothing of a person, each with the reason.
    """

    name: str
    holdings: tuple[Holding, ...] = ()
    texts: tuple[Texts, ...] = ()
    impersonal: Mapping[str, str] = field(default_factory=dict)
    erase: Callable[[Person, datetime], None] | None = None


_rooms: dict[str, Room] = {}


def declare(
    name: str,
    *holdings: Holding,
    texts: tuple[Texts, ...] = (),
    impersonal: Mapping[str, str] | None = None,
    erase: Callable[[Person, datetime], None] | None = None,
) -> Room:
    """Say what a room holds of people; once."""
    if name in _rooms:
        raise TypeError(f"{name} has declared what it holds already")
    _rooms[name] = Room(name, holdings, texts, impersonal or {}, erase)
    return _rooms[name]


def room_called(name: str) -> Room:
    """Return what the room of that name declares.

    Raises:
        LookupError: it declares nothing.
    """
    try:
        return _rooms[name]
    except KeyError:
        raise LookupError(f"{name!r} declares nothing about people") from None


def all_rooms() -> list[Room]:
    """Return what every room declares."""
    return list(_rooms.values())
