"""`manage.py events`, as an operator and as a developer use it. No test here may ask the database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from smartcourse.events import facts, subscriptions
from smartcourse.events.facts import all_facts
from smartcourse.events.subscriptions import EVERY_FACT, Subscription
from smartcourse.events.tests.conftest import LampLit


def events(*arguments: str) -> str:
    out = StringIO()
    call_command("events", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def read_json(*arguments: str) -> Any:
    return json.loads(events(*arguments, "--json"))


@pytest.fixture
def listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    """One who hears lamps, and one who hears everything."""
    monkeypatch.setattr(facts, "_registry", {"lamp.lit": LampLit})
    pair = [
        Subscription("lamps.look_up", "lamp.lit", "scheduled", print),
        Subscription("lamps.note_all", EVERY_FACT, "webhooks", print),
    ]
    monkeypatch.setattr(subscriptions, "_subscriptions", {s.name: s for s in pair})


class TestList:
    def test_names_every_fact(self) -> None:
        first_words = {line.split()[0] for line in events().splitlines() if line and not line.startswith(" ")}
        assert set(all_facts()) <= first_words

    @pytest.mark.usefixtures("listeners")
    def test_names_who_hears_it(self) -> None:
        assert [line.split() for line in events().splitlines()[:3]] == [
            ["FACT", "VERSION", "AGGREGATE", "HEARD", "BY", "QUEUE"],
            ["lamp.lit", "1", "lamp", "lamps.look_up", "scheduled"],
            ["every", "fact", "lamps.note_all", "webhooks"],
        ]

    def test_says_that_nobody_hears_a_fact_and_that_it_is_planned(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subscriptions, "_subscriptions", {})
        [line] = [line for line in events().splitlines() if line.startswith("payment.refunded")]
        assert re.split(r"\s{2,}", line) == ["payment.refunded", "1, planned", "payment", "nobody yet"]

    def test_is_aligned(self) -> None:
        header, *lines = events().splitlines()[: len(all_facts())]
        column = header.index("HEARD BY")
        assert {line[column - 1] for line in lines} == {" "}
        assert " " not in {line[column] for line in lines}

    def test_counts(self) -> None:
        planned = sum(fact.planned for fact in all_facts().values())
        total = len(all_facts())
        assert (
            events().splitlines()[-1]
            == f"{total} facts, {total - planned} of them published, {planned} planned."
        )

    @pytest.mark.usefixtures("listeners")
    def test_as_json(self) -> None:
        assert read_json() == {
            "facts": [
                {
                    "type": "lamp.lit",
                    "version": 1,
                    "aggregate": "lamp",
                    "planned": False,
                    "description": "Somebody lit a lamp.",
                    "fields": {"lamp_id": "UUID", "colour": "str"},
                    "listeners": [
                        {"name": "lamps.look_up", "queue": "scheduled", "every_fact": False},
                        {"name": "lamps.note_all", "queue": "webhooks", "every_fact": True},
                    ],
                }
            ]
        }

    def test_needs_no_server(self) -> None:
        nowhere = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
        done = subprocess.run(
            [sys.executable, "manage.py", "events"],
            cwd=settings.BASE_DIR, env={**os.environ, **nowhere}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "user.registered" in done.stdout


class TestOneFact:
    @pytest.mark.usefixtures("listeners")
    def test_is_shown_with_its_fields_and_all_who_hear_it(self) -> None:
        assert events("--fact", "lamp.lit").splitlines() == [
            "lamp.lit, version 1, in order per lamp",
            "Somebody lit a lamp.",
            "",
            "Fields",
            "  lamp_id  UUID",
            "  colour   str",
            "",
            "Heard by",
            "  lamps.look_up   scheduled",
            "  lamps.note_all  webhooks   hears every fact",
        ]

    def test_says_where_a_field_may_be_empty_and_that_the_fact_is_planned(self) -> None:
        shown = events("--fact", "report.completed")
        assert "planned: not published yet" in shown
        assert "requester_id  UUID or None" in shown

    def test_as_json(self) -> None:
        assert [fact["type"] for fact in read_json("--fact", "user.verified")["facts"]] == ["user.verified"]

    @pytest.mark.parametrize("arguments", [(), ("--json",)])
    def test_that_nobody_declares_is_an_error_with_its_likes(self, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError, match=r"'user\.verify'.* Near to it: user\.verified") as caught:
            events("--fact", "user.verify", *arguments)
        assert caught.value.returncode == 2

    def test_that_is_like_none_is_an_error_with_a_way_on(self) -> None:
        with pytest.raises(CommandError, match="lists them all"):
            events("--fact", "zzz")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with the schemas of all facts."""
    events("--write", f"--directory={tmp_path}")
    return tmp_path


def forget_a_field(path: Path) -> None:
    """Make the committed schema one that had a field more."""
    schema = json.loads(path.read_text())
    schema["properties"]["shoe_size"] = {"type": "integer"}
    path.write_text(json.dumps(schema))


def contents(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


class TestWrite:
    def test_writes_a_file_for_each_fact_and_an_index(self, directory: Path) -> None:
        names = {f"{fact.type}.v{fact.version}.json" for fact in all_facts().values()}
        assert set(contents(directory)) == {*names, "README.md"}

    def test_a_second_time_changes_nothing(self, directory: Path) -> None:
        before = contents(directory)
        shown = events("--write", f"--directory={directory}")
        assert shown == f"All {len(before)} files are up to date.\n"
        assert contents(directory) == before

    def test_says_what_it_wrote(self, directory: Path) -> None:
        (directory / "payment.refunded.v1.json").unlink()
        assert events("--write", f"--directory={directory}") == "written: payment.refunded.v1.json\n"

    def test_rehearsed_changes_nothing(self, directory: Path) -> None:
        (directory / "payment.refunded.v1.json").unlink()
        before = contents(directory)
        assert (
            events("--write", "--dry-run", f"--directory={directory}")
            == "out of date: payment.refunded.v1.json\n"
        )
        assert contents(directory) == before

    @pytest.mark.parametrize("mode", [("--write",), ("--write", "--dry-run"), ("--check",)])
    def test_refuses_an_incompatible_change(self, directory: Path, mode: tuple[str, ...]) -> None:
        forget_a_field(directory / "user.verified.v1.json")
        before = contents(directory)
        out = StringIO()
        with pytest.raises(CommandError, match="raise the version") as caught:
            call_command("events", *mode, f"--directory={directory}", stdout=out, stderr=out)
        assert caught.value.returncode == 1
        assert "user.verified.v1.json: shoe_size: is gone" in out.getvalue()
        assert contents(directory) == before

    def test_as_json(self, directory: Path) -> None:
        (directory / "payment.refunded.v1.json").unlink()
        files = len(all_facts()) + 1
        assert read_json("--write", f"--directory={directory}") == {
            "faults": [],
            "stale": ["payment.refunded.v1.json"],
            "surplus": [],
            "unchanged": files - 1,
            "written": True,
        }


class TestCheck:
    def test_is_content_with_what_is_up_to_date(self, directory: Path) -> None:
        assert "up to date" in events("--check", f"--directory={directory}")

    def test_finds_what_is_out_of_date_and_leaves_it(self, directory: Path) -> None:
        (directory / "README.md").write_text("nothing\n")
        with pytest.raises(CommandError, match="renews them") as caught:
            events("--check", f"--directory={directory}")
        assert caught.value.returncode == 1
        assert (directory / "README.md").read_text() == "nothing\n"

    def test_reads_what_is_committed_unless_told_otherwise(self) -> None:
        assert "up to date" in events("--check")


class TestWrongCalls:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--dry-run",), "--dry-run goes with --write"),
            (("--check", "--fact", "user.verified"), "all together"),
            (("--write", "--check"), "not allowed with"),
        ],
    )
    def test_are_refused_in_words(self, arguments: tuple[str, ...], words: str) -> None:
        with pytest.raises(CommandError, match=words):
            events(*arguments)
