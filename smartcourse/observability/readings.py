"""What is not counted but read when somebody asks: rooms above say here how their own state is read.

A counter in a process tells of that process. What the whole installation owes (facts, deliveries, runs, messages) lies
in its database and its broker, so it is read there, whichever web server is asked, and needs no port of the workers'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

Server = Literal["database", "redis", "broker"]
Value = tuple[Sequence[str], float]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Family:
    """Numbers of one name, each with the values of the labels; a counter only ever grows."""

    name: str
    help: str
    values: Sequence[Value]
    labels: Sequence[str] = ()
    kind: Literal["gauge", "counter"] = "gauge"


Read = Callable[[], Iterable[Family]]

_readings: list[tuple[Server, Read]] = []


def provide(server: Server, read: Read) -> None:
    """Have these numbers read at every scrape; all of them come from that server, and cost as much however many."""
    if (server, read) not in _readings:
        _readings.append((server, read))


def one(name: str, help_text: str, value: float) -> Family:
    """Return a number that has no labels."""
    return Family(name, help_text, [((), value)])


def read_all() -> Iterator[Family]:
    """Read everything that can be read; a server that failed once is asked no more, and said to be away."""
    failed: set[Server] = set()
    for server, read in _readings:
        if server in failed:
            continue
        try:
            # All of it before any of it is told: half a family would be a lie.
            found = list(read())
        except Exception as error:  # noqa: BLE001 - drivers raise what they like; the numbers of the others are told
            log.warning("numbers could not be read", server=server, error=repr(error))
            failed.add(server)
        else:
            yield from found
    asked = sorted({server for server, _ in _readings})
    yield Family(
        "smartcourse_server_up",
        "Whether the server answered this scrape.",
        [((server,), float(server not in failed)) for server in asked],
        labels=("server",),
    )
