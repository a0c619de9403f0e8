"""Who listens to which fact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smartcourse.events.facts import Fact

Handler = Callable[[Any], None]


@dataclass(frozen=True)
class Subscription:
    """A function that is owed every fact of one type, and the Celery queue that it runs on."""

    name: str
    fact_type: str
    queue: str
    handler: Handler


_subscriptions: dict[str, Subscription] = {}


def subscribe(fact: type[Fact] | str, *, queue: str = "events") -> Callable[[Handler], Handler]:
    """Subscribe the decorated function (a fact in, one service call) to a fact, by its class or by its name.

    The function runs in a savepoint of the transaction that marks its delivery handled, on a Celery worker, once.
    """
    fact_type = fact if isinstance(fact, str) else fact.type

    def connect(handler: Handler) -> Handler:
        name = f"{handler.__module__}.{handler.__name__}"
        if name in _subscriptions:
            raise TypeError(f"two subscribers are called {name}")
        _subscriptions[name] = Subscription(name, fact_type, queue, handler)
        return handler

    return connect


def subscribers_of(fact_type: str) -> list[Subscription]:
    """Return the subscriptions to that type of fact."""
    return [s for s in _subscriptions.values() if s.fact_type == fact_type]


def subscription(name: str) -> Subscription:
    """Return the subscription of that name.

    Raises:
        LookupError: there is none (any more).
    """
    try:
        return _subscriptions[name]
    except KeyError:
        raise LookupError(f"nobody subscribes as {name!r}") from None


def all_subscriptions() -> list[Subscription]:
    """Return every subscription."""
    return list(_subscriptions.values())
