"""Facts about a thing that is of no account but for what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class Happened(Fact):
    """Something happened to the thing, for the `number`th time."""

    type: ClassVar[str] = "thing.happened"
    aggregate: ClassVar[str] = "thing"

    thing_id: UUID
    number: int


@dataclass(frozen=True, kw_only=True)
class Heaped(Fact):
    """One of ten thousand."""

    type: ClassVar[str] = "thing.heaped"
    aggregate: ClassVar[str] = "thing"

    thing_id: UUID
    number: int


@dataclass(frozen=True, kw_only=True)
class Poisoned(Fact):
    """What one of its subscribers cannot bear, as long as a breakpoint says so."""

    type: ClassVar[str] = "thing.poisoned"
    aggregate: ClassVar[str] = "thing"

    thing_id: UUID
    number: int
