"""A pytest plugin that keeps apart what takes long: `full` tests run where `FAULTS=full` says so (`make faults`), and
nowhere else; those that measure what two cores do (`alone`) have them to themselves; their figures stand at the end.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

FULL = os.environ.get("FAULTS") == "full"
FIGURES = "faults_figures"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip long tests, unless asked for them; then have those that everybody waits for in one row at the end."""
    if FULL:
        items.sort(key=lambda item: item.get_closest_marker("alone") is not None)
        return
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="long: it runs in `make faults`"))


@pytest.fixture(autouse=True)
def undisturbed(request: pytest.FixtureRequest) -> Iterator[None]:
    """In the long set, keep the other process waiting while a test measures what two cores do: they share them."""
    if not FULL:
        yield
        return
    alone = request.node.get_closest_marker("alone") is not None
    # A door before the room: who waits to have it alone holds the door, or others would go in past him for ever.
    with _lock_file("door") as door, _lock_file("room") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


def _lock_file(name: str) -> IO[str]:
    return (Path(tempfile.gettempdir()) / f"smartcourse-faults-{os.geteuid()}-{name}.lock").open("a")


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a line of figures, told at the end of the run whether or not the test passed."""

    def note(line: str) -> None:
        # Properties of a report travel from the processes of pytest-xdist to who prints.
        request.node.user_properties.append((FIGURES, line))

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures of all faults."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if getattr(report, "when", "") == "call"
    ]
    lines = sorted(line for report in reports for name, line in report.user_properties if name == FIGURES)
    if lines:
        terminalreporter.section("figures of the faults")
        for line in lines:
            terminalreporter.write_line(line)
