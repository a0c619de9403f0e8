"""`make fuzz`: schemathesis against an installation of its own, once for each role.

It reads the operations from the running server, so a new one is tried without a word here. What it succeeds with comes
from the permission matrix; an operation that has no row there is named at the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from smartcourse.embedded.datafolder import PROJECT_ROOT
from smartcourse.tests.quickstart import environment_of, quickstart

HERE = Path(__file__).parent
ROLES = {
    "AN": "anonymous", "ST": "student", "EN": "enrolled", "OS": "other student", "IO": "owning instructor",
    "OI": "other instructor", "SF": "staff", "AD": "admin",
}  # fmt: skip
# The tool's systematic phase is long, so a short run has it for one of the roles that may do the most.
SYSTEMATIC = ("IO",)
PASSWORD = "correct horse battery staple"


@dataclass
class Verdict:
    """What came of one role: the tool's exit status, answers by operation and status, and how many were judged."""

    role: str
    ended_with: int
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    judged: int = 0
    checks: int = 0
    never: list[str] = field(default_factory=list)
    """Operations that the role may use, and that never succeeded: what was tried of them says little."""

    uncovered: list[str] = field(default_factory=list)
    """Operations without a row in the permission matrix."""

    @property
    def is_good(self) -> bool:
        return self.ended_with == 0 and not self.never

    def told(self, operation: str) -> str:
        """Return the statuses of the operation's answers, and how many had each."""
        return ", ".join(
            f"{status}: {n}" for (name, status), n in sorted(self.answers.items()) if name == operation
        )

    def line(self) -> str:
        operations = len({operation for operation, _ in self.answers})
        succeeded = {operation for operation, status in self.answers if status < 400}
        kinds = Counter(f"{status // 100}xx" for _, status in self.answers.elements())
        told = "  ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        return (
            f"  {ROLES[self.role]:18} {operations:4} operations, {len(succeeded):3} succeeded, "
            f"{self.answers.total():6} answers, {self.judged:6} judged by {self.checks} checks   {told}"
        )


def asked(words: list[str]) -> Namespace:
    parser = ArgumentParser(
        prog="fuzz", description="schemathesis against a running server, once for each role"
    )
    parser.add_argument("--quick", action="store_true", help="a few examples of each operation")
    parser.add_argument("--examples", type=int, default=0, help="of each operation (200; with --quick 2)")
    parser.add_argument("--seconds", type=int, default=120, help="for each role, unless --quick (120)")
    parser.add_argument("--seed", type=int, default=20260101, help="of what is drawn by chance")
    parser.add_argument("--roles", nargs="+", choices=ROLES, default=list(ROLES))
    return parser.parse_args(words)


def options_for(role: str, wanted: Namespace) -> list[str]:
    if wanted.quick:
        phases = "examples,coverage,fuzzing" if role in SYSTEMATIC else "examples,fuzzing"
        return ["--phases", phases, "--max-examples", str(wanted.examples or 2)]
    return ["--max-examples", str(wanted.examples or 200), "--max-time", str(wanted.seconds)]


def try_as(role: str, wanted: Namespace, url: str, environment: Mapping[str, str]) -> Verdict:
    """Build the role's worlds, let the tool loose on them, and return what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        schema, world, figures = (Path(folder) / f"{name}.json" for name in ("schema", "world", "figures"))
        schema.write_text(httpx.get(f"{url}/api/v1/schema", params={"format": "json"}, timeout=60).text)
        subprocess.run(
            [sys.executable, "-m", "smartcourse.tests.fuzz.worlds", str(schema), str(world), role],
            cwd=PROJECT_ROOT, env=environment, check=True,
        )  # fmt: skip
        told = {
            "FUZZ_ROLE": role, "FUZZ_API": f"{url}/api/v1", "FUZZ_WORLD": str(world), "FUZZ_PASSWORD": PASSWORD,
            "FUZZ_FIGURES": str(figures),
        }  # fmt: skip
        # The words of two at a time would be mixed, so they are shown when each has ended.
        kept = subprocess.PIPE if wanted.quick else None
        ended = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "schemathesis.toml"),
                "run", str(schema), "--url", url, "--seed", str(wanted.seed), "--generation-database", "none",
                *options_for(role, wanted),
            ],
            cwd=PROJECT_ROOT, env={**environment, **told}, check=False, text=True,
            stdout=kept, stderr=kept and subprocess.STDOUT,
        )  # fmt: skip
        print(ended.stdout or "", flush=True)
        return judged(
            role, ended.returncode, json.loads(figures.read_text()), json.loads(world.read_text())[role]
        )


def judged(role: str, ended_with: int, figures: dict[str, Any], world: dict[str, list[Any]]) -> Verdict:
    verdict = Verdict(role, ended_with, judged=sum(figures["judged"].values()), checks=len(figures["checks"]))
    for words, count in figures["answers"].items():
        operation, _, status = words.rpartition(" ")
        verdict.answers[operation, int(status)] = count
    succeeded = {operation for operation, status in verdict.answers if status < 400}
    open_to_it = {name for name, requests in world.items() if requests and requests[0]["status"] < 400}
    verdict.never = sorted(open_to_it - succeeded)
    verdict.uncovered = [name for name, requests in world.items() if not requests]
    return verdict


def report(verdicts: list[Verdict], seed: int) -> None:
    """Print the figures, and whatever keeps them from meaning all that they seem to."""
    print(f"\nSeed {seed}. By role:")
    for verdict in verdicts:
        print(verdict.line())
        for operation in verdict.never:
            print(f"      never succeeded, and may: {operation} ({verdict.told(operation)})")
    for operation in sorted({name for verdict in verdicts for name in verdict.uncovered}):
        print(f"  no row of the permission matrix, so only what was made up was tried: {operation}")
    answers = sum((verdict.answers for verdict in verdicts), Counter[tuple[str, int]]())
    print("\nSuccesses of each operation, over all roles:")
    totals = Counter[str]()
    for (operation, status), count in answers.items():
        totals[operation] += count if status < 400 else 0
    for operation, count in sorted(totals.items()):
        print(f"  {count:6}  {operation}")


def main(words: list[str]) -> int:
    """Run, print, and return 1 where a check failed or a success is missing."""
    wanted = asked(words)
    print(f"schemathesis, seed {wanted.seed}: python -m smartcourse.tests.fuzz {' '.join(words)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        Path(folder).chmod(0o711)
        environment = environment_of(data, PYTHONWARNINGS="ignore")
        # At length each has its seconds, and the machine to itself.
        at_once = 2 if wanted.quick else 1
        with quickstart(data, environment) as info, ThreadPoolExecutor(at_once) as pool:
            verdicts = list(
                pool.map(lambda role: try_as(role, wanted, info["url"], environment), wanted.roles)
            )
    report(verdicts, wanted.seed)
    failed = [ROLES[verdict.role] for verdict in verdicts if not verdict.is_good]
    print(f"\nFailed for: {', '.join(failed)}" if failed else "\nNo check failed.")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
