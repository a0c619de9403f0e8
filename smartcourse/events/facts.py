"""What a fact is, and the registry of all facts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Self, get_type_hints
from uuid import UUID

from django.dispatch import Signal
from django.utils import timezone

from smartcourse.db.identifiers import uuid7

_registry: dict[str, type[Fact]] = {}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened: past tense, versioned, immutable, made of ids and the few words a listener needs.

    A subclass names its `type` ("enrollment.activated") and its `aggregate` ("enrollment"), whose id is the field
    `<aggregate>_id`; facts of one aggregate keep their order. Fields are text, numbers, booleans, UUIDs, dates and
    moments (optional ones with None). A secret never rides in a fact.
    """

    type: ClassVar[str]
    aggregate: ClassVar[str]
    version: ClassVar[int] = 1
    signal: ClassVar[Signal]

    fact_id: UUID = field(default_factory=uuid7)
    occurred_at: datetime = field(default_factory=timezone.now)

    def __init_subclass__(cls) -> None:
        if cls.type in _registry and _registry[cls.type].__qualname__ != cls.__qualname__:
            raise TypeError(f"two facts are called {cls.type}")
        cls.signal = Signal()
        _registry[cls.type] = cls

    @property
    def aggregate_id(self) -> UUID:
        """Return the id of the thing that this happened to."""
        identity: UUID = getattr(self, f"{self.aggregate}_id")
        return identity

    def as_payload(self) -> dict[str, Any]:
        """Return the fact's own fields as JSON values, without its id and moment (those are columns)."""
        own = [f.name for f in dataclasses.fields(self) if f.name not in ("fact_id", "occurred_at")]
        return {name: _to_json(getattr(self, name)) for name in own}

    @classmethod
    def from_payload(cls, payload: dict[str, Any], *, fact_id: UUID, occurred_at: datetime) -> Self:
        """Return the fact that `as_payload` was made of; fields of a newer version are passed over."""
        hints = get_type_hints(cls)
        known = {name: _from_json(value, hints[name]) for name, value in payload.items() if name in hints}
        return cls(fact_id=fact_id, occurred_at=occurred_at, **known)


def fact_class(type_: str) -> type[Fact]:
    """Return the class of facts of that type.

    Raises:
        LookupError: no context declares it.
    """
    try:
        return _registry[type_]
    except KeyError:
        raise LookupError(f"no fact is called {type_!r}") from None


def all_facts() -> dict[str, type[Fact]]:
    """Return every declared fact by its type."""
    return dict(_registry)


def _to_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, UUID) else value


def _from_json(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    kinds = getattr(hint, "__args__", (hint,))
    # A datetime is a date too, so the narrower one is looked for first.
    if UUID in kinds:
        return UUID(value)
    if datetime in kinds:
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if date in kinds else value
