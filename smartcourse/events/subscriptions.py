"""Who listens to which fact."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from smartcourse.events.facts import Fact

Handler = Callable[[Any], None]
EVERY_FACT = "*"


@dataclass(frozen=True)
class Subscription:
    """A function that is owed every fact of one type, and the Celery queue that it runs on.

    Who hears EVERY_FACT may name the types that are `wanted` at present; it is asked once for each batch of the relay.
    """

    name: str
    fact_type: str
    queue: str
    handler: Handler
    wanted: Callable[[], Collection[str]] | None = None


_subscriptions: dict[str, Subscription] = {}


def subscribe(
    fact: type[Fact] | str, *, queue: str = "events", wanted: Callable[[], Collection[str]] | None = None
) -> Callable[[Handler], Handler]:
    """Subscribe the decorated function (a fact in, one service call) to a fact, by class or name, or to EVERY_FACT.

    The function runs in a savepoint of the transaction that marks its delivery handled, on a Celery worker, once.
    """
    fact_type = fact if isinstance(fact, str) else fact.type

    def connect(handler: Handler) -> Handler:
        name = f"{handler.__module__}.{handler.__name__}"
        if name in _subscriptions:
            raise TypeError(f"two subscribers are called {name}")
        _subscriptions[name] = Subscription(name, fact_type, queue, handler, wanted)
        return handler

    return connect


def subscribers_of(fact_type: str) -> list[Subscription]:
    """Return the subscriptions to that type of fact, those to every fact among them."""
    return [s for s in _subscriptions.values() if s.fact_type in (fact_type, EVERY_FACT)]


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


SINKS_CHANNEL = "smartcourse_sinks"
"""The relay tells here, by NOTIFY, that it has written deliveries for sinks."""

_sinks: dict[str, Callable[[], bool]] = {}


def register_sink(name: str, *, enabled: Callable[[], bool]) -> None:
    """Register a sink: a subscriber to every fact, whose deliveries a process of its own takes in order.

    A sink that is not `enabled` (asked once for each batch of the relay) is owed nothing.
    """
    if name in _sinks or name in _subscriptions:
        raise TypeError(f"two subscribers are called {name}")
    _sinks[name] = enabled


def sinks() -> list[str]:
    """Return the names of the sinks that are enabled."""
    return [name for name, enabled in _sinks.items() if enabled()]
