"""The Django signal of each type of fact: facts themselves know no Django."""

from __future__ import annotations

from django.dispatch import Signal

from smartcourse.events.facts import Fact

_signals: dict[type[Fact], Signal] = {}


def signal_of(kind: type[Fact]) -> Signal:
    """Return the signal that the relay sends for facts of that class; it is always the same one."""
    # setdefault is atomic: two threads that ask at once get one signal, and no receiver is lost with another.
    return _signals.setdefault(kind, Signal())
