"""The faults at length, several times over: `python -m smartcourse.tests.faults.again [--times 5] [-k f13 ...]`.

Every run is a run of its own, on new servers. Nothing is tried again: a fault that failed once has failed, and the
table at the end says in which run, beside how long each took.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import defusedxml.ElementTree

from smartcourse.embedded.datafolder import PROJECT_ROOT

WHICH = "faults or full"
FAULT = re.compile(r"test_(f\d\d)_")
OTHERS = "others"
# Of pytest: all passed; some failed. Any other end (interrupted, nothing collected, an error in a file) is no run.
TOLD = (0, 1)

Run = dict[str, tuple[int, int, float]]
"""What became of each fault: how many of its tests passed, how many did not, and their seconds together."""


def run(arguments: list[str], report: Path) -> Run:
    """Run all faults once, and read what became of them.

    Raises:
        SystemExit: pytest could not run them.
    """
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-n", "3", "--no-loadscope-reorder", "-m", WHICH,
            f"--junitxml={report}", *arguments,
        ],
        cwd=PROJECT_ROOT, env={**os.environ, "FAULTS": "full"}, check=False,
    )  # fmt: skip
    if done.returncode not in TOLD:
        raise SystemExit(done.returncode)
    return outcomes(report.read_text())


def outcomes(report: str) -> Run:
    """Read a report of JUnit's form; what was skipped is not in it."""
    found: Run = {}
    for case in defusedxml.ElementTree.fromstring(report).iter("testcase"):
        if case.find("skipped") is not None:
            continue
        name = FAULT.search(case.get("classname", ""))
        fault = name[1].upper() if name else OTHERS
        failed = case.find("failure") is not None or case.find("error") is not None
        passed, not_passed, seconds = found.get(fault, (0, 0, 0.0))
        found[fault] = (passed + (not failed), not_passed + failed, seconds + float(case.get("time", 0)))
    return found


def table(runs: list[Run], minutes: list[float]) -> str:
    """Return a line for each fault and a column for each run: how many failed, or none, and after how many seconds."""
    faults = sorted({fault for each in runs for fault in each})
    lines = ["fault  tests " + "".join(f"{f'run {number + 1}':>16}" for number in range(len(runs)))]
    for fault in faults:
        cells = [each.get(fault, (0, 0, 0.0)) for each in runs]
        told = [
            f"{'ok' if not failed else f'{failed} FAILED'} {seconds:.0f} s" for _, failed, seconds in cells
        ]
        lines.append(f"{fault:<6} {cells[0][0] + cells[0][1]:>5} " + "".join(f"{cell:>16}" for cell in told))
    return "\n".join([*lines, "all, minutes " + "".join(f"{took:>16.1f}" for took in minutes)])


def main() -> None:
    """Run them, print the table, and fail if any of them ever failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=5, help="how many runs in a row (%(default)s)")
    options, arguments = parser.parse_known_args()
    runs: list[Run] = []
    minutes: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.times):
            begun = time.monotonic()
            runs.append(run(arguments, Path(folder) / f"{number}.xml"))
            minutes.append((time.monotonic() - begun) / 60)
            # After each: a table of four runs is worth something, too, if the fifth is broken off.
            sys.stdout.write(f"\n{table(runs, minutes)}\n\n")
            sys.stdout.flush()
    sys.exit(any(failed for each in runs for _, failed, _ in each.values()))


if __name__ == "__main__":
    main()
