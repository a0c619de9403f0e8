"""A fact and a subscriber of the test's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import pytest

from smartcourse.events import facts, subscriptions
from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class LampLit(Fact):
    """Somebody lit a lamp."""

    type: ClassVar[str] = "lamp.lit"
    aggregate: ClassVar[str] = "lamp"

    lamp_id: UUID
    colour: str = "white"


# Declared for the tests alone; the product's registry is as it was.
facts._registry.pop("lamp.lit")


class Watcher:
    """A subscriber that remembers what it was told, and fails when it is told to."""

    def __init__(self) -> None:
        self.seen: list[LampLit] = []
        self.failing: Exception | None = None

    def __call__(self, fact: Any) -> None:
        self.seen.append(fact)
        if self.failing:
            raise self.failing


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Watcher:
    watcher = Watcher()
    monkeypatch.setitem(facts._registry, "lamp.lit", LampLit)
    name = "lamps.watcher"
    subscription = subscriptions.Subscription(name, "lamp.lit", "events", watcher)
    monkeypatch.setitem(subscriptions._subscriptions, name, subscription)
    return watcher
