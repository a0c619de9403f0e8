"""What a fact is, and the registry of all facts. Standard library only: whoever reads facts needs no Django."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import NoneType, UnionType
from typing import Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from smartcourse.db.identifiers import uuid7

# What a field may hold; None too, where it says so. All of it has one form in JSON, and one in a JSON Schema.
KINDS: tuple[type, ...] = (str, int, float, bool, UUID, date, datetime)
# The outbox has columns for these, and an envelope has places; a payload is what remains.
CARRIED_BESIDE = ("fact_id", "occurred_at")

_registry: dict[str, type[Fact]] = {}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class FieldType:
    """What one field of a fact holds: a value of one of KINDS, or None where it is nullable."""

    kind: type
    nullable: bool


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened: past tense, versioned, immutable, made of ids and the few words a listener needs.

    A subclass names its `type` ("enrollment.activated") and its `aggregate` ("enrollment"), whose id is the field
    `<aggregate>_id`; facts of one aggregate keep their order. Fields are text, numbers, booleans, UUIDs, dates and
    moments (optional ones with None). A secret never rides in a fact. One that is `planned` is declared ahead of the
    feature that will publish it, and may still change. `personal` names the fields that hold somebody's own
    words, which an erasure empties.
    """

    type: ClassVar[str]
    aggregate: ClassVar[str]
    version: ClassVar[int] = 1
    planned: ClassVar[bool] = False
    personal: ClassVar[tuple[str, ...]] = ()
    field_types: ClassVar[dict[str, FieldType]]

    fact_id: UUID = field(default_factory=uuid7)
    occurred_at: datetime = field(default_factory=_now)

    def __init_subclass__(cls) -> None:
        cls.field_types = _field_types(cls)
        known = _registry.get(cls.type)
        if known and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"two facts are called {cls.type}")
        _registry[cls.type] = cls

    @property
    def aggregate_id(self) -> UUID:
        """Return the id of the thing that this happened to."""
        identity: UUID = getattr(self, f"{self.aggregate}_id")
        return identity

    def as_payload(self) -> dict[str, Any]:
        """Return the fact's own fields as JSON values, without its id and moment (those are columns)."""
        return {f.name: to_json(getattr(self, f.name)) for f in own_fields(type(self))}

    @classmethod
    def from_payload(
        cls, payload: dict[str, Any], *, fact_id: UUID, occurred_at: datetime, version: int | None = None
    ) -> Self:
        """Return the fact that `as_payload` was made of, by this version of the class or, as `version` says, another.

        What an older version wrote is upgraded; fields of a newer one (its release was rolled back) are passed over.
        """
        if version is not None and version < cls.version:
            payload = cls.upgrade(payload, version)
        types = cls.field_types
        known = {name: _from_json(value, types[name]) for name, value in payload.items() if name in types}
        return cls(fact_id=fact_id, occurred_at=occurred_at, **known)

    @classmethod
    def upgrade(cls, payload: dict[str, Any], version: int) -> dict[str, Any]:
        """Return what that older version wrote as this one would have written it.

        A fact whose version is raised says here how; as it stands it serves where fields were only taken away.
        """
        return payload


def own_fields(fact: type[Fact]) -> list[dataclasses.Field[Any]]:
    """Return the fields of a fact's own: all but those that are carried beside the payload."""
    return [f for f in dataclasses.fields(fact) if f.name not in CARRIED_BESIDE]


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


def to_json(value: Any) -> Any:
    """Return a field's value as JSON has it."""
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, UUID) else value


def _field_types(fact: type[Fact]) -> dict[str, FieldType]:
    hints = get_type_hints(fact)
    return {
        name: _field_type(f"{fact.__qualname__}.{name}", hint)
        for name, hint in hints.items()
        if get_origin(hint) is not ClassVar and name not in CARRIED_BESIDE
    }


def _field_type(name: str, hint: Any) -> FieldType:
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    kinds = [member for member in members if member is not NoneType]
    if len(kinds) != 1 or kinds[0] not in KINDS:
        carried = ", ".join(kind.__name__ for kind in KINDS)
        raise TypeError(f"{name}: a fact carries {carried}, or None beside one of them, but no {hint}")
    return FieldType(kinds[0], nullable=NoneType in members)


def _from_json(value: Any, holds: FieldType) -> Any:
    if value is None:
        return None
    if holds.kind is UUID:
        return UUID(value)
    if holds.kind in (date, datetime):
        return holds.kind.fromisoformat(value)  # type: ignore[attr-defined]  # both kinds have it, `type` does not
    return value
