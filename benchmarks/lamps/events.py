"""The fact that the benchmark publishes."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class LampLit(Fact):
    """Somebody lit a lamp."""

    type: ClassVar[str] = "lamp.lit"
    aggregate: ClassVar[str] = "lamp"

    lamp_id: UUID
    colour: str
