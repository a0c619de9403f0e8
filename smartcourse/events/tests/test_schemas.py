"""The schemas that consumers read by: what they say, what may change in them, and that those committed are true."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.conf import settings
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs would serve this test alone

from smartcourse.events import facts, schemas
from smartcourse.events.facts import Fact, all_facts
from smartcourse.events.schemas import Schema, compare, compatible, file_name, schema_of

COMMITTED: Path = settings.BASE_DIR / "docs" / "events"
A_MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class LampHung(Fact):
    """A lamp was hung,
    somewhere.
    """

    type: ClassVar[str] = "lamp.hung"
    aggregate: ClassVar[str] = "lamp"

    lamp_id: UUID
    room: str
    watts: int
    height: float
    dimmed: bool
    bought_on: date
    lit_at: datetime | None
    colour: str = "white"
    owner_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class LampSold(Fact):
    """A lamp was sold."""

    type: ClassVar[str] = "lamp.sold"
    aggregate: ClassVar[str] = "lamp"
    planned: ClassVar[bool] = True

    lamp_id: UUID


# Declared for the tests alone; the product's registry is as it was.
facts._registry.pop("lamp.hung")
facts._registry.pop("lamp.sold")


class TestSchema:
    def test_says_what_a_payload_holds(self) -> None:
        assert schema_of(LampHung) == {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "urn:smartcourse:fact:lamp.hung:v1",
            "title": "lamp.hung, version 1",
            "description": "A lamp was hung, somewhere.",
            "type": "object",
            "properties": {
                "lamp_id": {"type": "string", "format": "uuid"},
                "room": {"type": "string"},
                "watts": {"type": "integer"},
                "height": {"type": "number"},
                "dimmed": {"type": "boolean"},
                "bought_on": {"type": "string", "format": "date"},
                "lit_at": {"type": ["string", "null"], "format": "date-time"},
                "colour": {"type": "string", "default": "white"},
                "owner_id": {"type": ["string", "null"], "format": "uuid", "default": None},
            },
            "required": ["lamp_id", "room", "watts", "height", "dimmed", "bought_on", "lit_at"],
            "additionalProperties": True,
            "x-aggregate": "lamp",
        }

    def test_marks_a_planned_fact(self) -> None:
        assert schema_of(LampSold)["x-planned"] is True

    def test_accepts_what_is_sent_and_what_will_be_added_to_it(self) -> None:
        fact = LampHung(
            lamp_id=UUID(int=1), room="attic", watts=40, height=2.2, dimmed=True,
            bought_on=date(2026, 1, 2), lit_at=A_MOMENT,
        )  # fmt: skip
        validator = Draft202012Validator(
            schema_of(LampHung), format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        validator.validate({**fact.as_payload(), "to_come": 1})
        assert not validator.is_valid({**fact.as_payload(), "lamp_id": "17"})
        assert not validator.is_valid({**fact.as_payload(), "room": None})


def without(name: str) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        del schema["properties"][name]
        schema["required"] = [kept for kept in schema["required"] if kept != name]

    return change


def with_field(name: str, *, required: bool) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        schema["properties"][name] = {"type": "string"} if required else {"type": "string", "default": ""}
        schema["required"] += [name] if required else []

    return change


def with_form(name: str, **form: Any) -> Callable[[Schema], None]:
    return lambda schema: schema["properties"].update({name: form})


def with_required(*names: str, but: str = "") -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        schema["required"] = [name for name in (*schema["required"], *names) if name != but]

    return change


def renamed(schema: Schema) -> None:
    without("room")(schema)
    with_field("chamber", required=True)(schema)


class TestCompatible:
    @pytest.mark.parametrize(
        "change",
        [
            lambda schema: None,
            with_field("note", required=False),
            lambda schema: schema.update(description="Other words."),
        ],
        ids=["nothing", "an optional field", "other words"],
    )
    def test_lets_pass(self, change: Callable[[Schema], None]) -> None:
        new = deepcopy(schema_of(LampHung))
        change(new)
        assert compatible(schema_of(LampHung), new) == []

    @pytest.mark.parametrize(
        ("change", "faults"),
        [
            (without("room"), ["room: is gone"]),
            (without("colour"), ["colour: is gone"]),
            (renamed, ["room: is gone", "chamber: is new, and has no default"]),
            (with_field("note", required=True), ["note: is new, and has no default"]),
            (with_form("watts", type="string"), ["watts: was of type integer, and is now of type string"]),
            (
                with_form("lamp_id", type="string"),
                ["lamp_id: was of format uuid, and is now of format None"],
            ),
            (
                with_form("bought_on", type="string", format="date-time"),
                ["bought_on: was of format date, and is now of format date-time"],
            ),
            (with_form("room", type=["string", "null"]), ["room: may now be null"]),
            (
                with_form("lit_at", type="string", format="date-time"),
                ["lit_at: might be null, and no longer is"],
            ),
            (
                with_form("colour", type="string", default="red"),
                ["colour: was 'white' where it is left out, and is now 'red'"],
            ),
            (with_required("colour"), ["colour: was optional, and is now required"]),
            (with_required(but="room"), ["room: was required, and is now optional"]),
            (
                lambda schema: schema.update({"x-aggregate": "room"}),
                ["its aggregate was lamp and is now room"],
            ),
            (
                lambda schema: schema.update({"x-planned": True}),
                ["the fact was published, and cannot be planned again"],
            ),
        ],
    )  # fmt: skip
    def test_refuses(self, change: Callable[[Schema], None], faults: list[str]) -> None:
        new = deepcopy(schema_of(LampHung))
        change(new)
        assert compatible(schema_of(LampHung), new) == faults

    def test_says_all_faults_at_once(self) -> None:
        new = deepcopy(schema_of(LampHung))
        without("room")(new)
        with_form("watts", type=["string", "null"])(new)
        assert len(compatible(schema_of(LampHung), new)) == 3

    def test_leaves_a_planned_fact_free(self) -> None:
        old = {**schema_of(LampHung), "x-planned": True}
        new = deepcopy(schema_of(LampHung))
        without("room")(new)
        assert compatible(old, new) == []


def edit(path: Path, change: Callable[[Schema], None]) -> None:
    schema = json.loads(path.read_text())
    change(schema)
    path.write_text(schemas.written(schema))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory that holds the schemas of both lamps."""
    schemas.write(tmp_path, compare(tmp_path, [LampHung, LampSold]))
    return tmp_path


class TestCompare:
    def test_finds_nothing_where_nothing_changed(self, directory: Path) -> None:
        outcome = compare(directory, [LampHung, LampSold])
        assert outcome.is_current
        assert outcome.unchanged == 3

    def test_finds_what_is_not_written_yet(self, tmp_path: Path) -> None:
        outcome = compare(tmp_path, [LampHung])
        assert (set(outcome.stale), outcome.faults) == ({"lamp.hung.v1.json", "README.md"}, [])

    def test_finds_a_compatible_change_that_is_not_written_yet(self, directory: Path) -> None:
        edit(directory / "lamp.hung.v1.json", without("colour"))
        outcome = compare(directory, [LampHung, LampSold])
        assert (set(outcome.stale), outcome.faults) == ({"lamp.hung.v1.json"}, [])

    def test_finds_an_incompatible_change(self, directory: Path) -> None:
        edit(directory / "lamp.hung.v1.json", with_field("oil", required=True))
        assert compare(directory, [LampHung, LampSold]).faults == ["lamp.hung.v1.json: oil: is gone"]

    def test_lets_an_incompatible_change_pass_under_a_new_version(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        edit(directory / "lamp.hung.v1.json", with_field("oil", required=True))
        before = (directory / "lamp.hung.v1.json").read_text()
        monkeypatch.setattr(LampHung, "version", 2)
        outcome = compare(directory, [LampHung, LampSold])
        assert (set(outcome.stale), outcome.faults) == ({"lamp.hung.v2.json", "README.md"}, [])
        schemas.write(directory, outcome)
        assert (directory / "lamp.hung.v1.json").read_text() == before
        assert "[1](lamp.hung.v1.json), [2](lamp.hung.v2.json)" in (directory / "README.md").read_text()
        assert compare(directory, [LampHung, LampSold]).is_current

    def test_misses_a_fact_that_was_published(self, directory: Path) -> None:
        assert compare(directory, [LampSold]).faults == [
            "lamp.hung.v1.json: was published, and no fact of that version is declared any more"
        ]

    def test_misses_a_version_that_was_published(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(LampHung, "version", 2)
        schemas.write(directory, compare(directory, [LampHung, LampSold]))
        monkeypatch.setattr(LampHung, "version", 1)
        assert compare(directory, [LampHung, LampSold]).faults == [
            "lamp.hung.v2.json: was published, and no fact of that version is declared any more"
        ]

    @pytest.mark.parametrize("declared", [[LampHung, LampSold], [LampSold]])
    def test_misses_a_file_that_was_published(self, directory: Path, declared: list[type[Fact]]) -> None:
        (directory / "lamp.hung.v1.json").unlink()
        assert compare(directory, declared).faults == ["lamp.hung.v1.json: is gone, but was published"]

    def test_gives_up_a_planned_fact(self, directory: Path) -> None:
        outcome = compare(directory, [LampHung])
        assert (outcome.surplus, outcome.faults) == (["lamp.sold.v1.json"], [])
        schemas.write(directory, outcome)
        assert not (directory / "lamp.sold.v1.json").exists()
        assert compare(directory, [LampHung]).is_current

    def test_does_not_know_what_a_strange_file_is(self, directory: Path) -> None:
        (directory / "lamps.json").write_text("{}")
        assert compare(directory, [LampHung, LampSold]).faults == ["lamps.json: is no schema of a fact"]

    def test_writes_nothing_where_there_are_faults(self, directory: Path) -> None:
        edit(directory / "lamp.hung.v1.json", with_field("oil", required=True))
        before = {path: path.read_text() for path in directory.iterdir()}
        with pytest.raises(ValueError, match="oil: is gone"):
            schemas.write(directory, compare(directory, [LampHung, LampSold]))
        assert {path: path.read_text() for path in directory.iterdir()} == before

    def test_keeps_the_words_around_the_table(self, directory: Path) -> None:
        page = directory / "README.md"
        page.write_text(f"# Lamps\n\nBefore.\n\n{schemas.BEGIN}\nfaded\n{schemas.END}\n\nAfter.\n")
        schemas.write(directory, compare(directory, [LampHung, LampSold]))
        text = page.read_text()
        assert text.startswith("# Lamps\n\nBefore.\n\n<!--")
        assert text.endswith("-->\n\nAfter.\n")
        assert "faded" not in text
        assert "| `lamp.hung` | [1](lamp.hung.v1.json) | lamp | A lamp was hung, somewhere. |" in text


def sample(schema: Schema) -> dict[str, Any]:
    """Return a payload as a schema's version wrote it at the least: what is required, and nothing else."""
    by_format = {"uuid": str(UUID(int=1)), "date": "2026-01-02", "date-time": "2026-01-02T03:04:05+00:00"}
    by_type = {"string": "words", "integer": 1, "number": 1.5, "boolean": True}
    forms = {name: schema["properties"][name] for name in schema["required"]}
    return {
        name: by_format[form["format"]]
        if "format" in form
        else by_type[form["type"] if isinstance(form["type"], str) else form["type"][0]]
        for name, form in forms.items()
    }


class TestCommittedSchemas:
    """What a published version promises is kept; `manage.py events --write` renews what may be renewed."""

    def test_have_no_incompatible_change(self) -> None:
        assert compare(COMMITTED, all_facts().values()).faults == []

    def test_are_up_to_date(self) -> None:
        outcome = compare(COMMITTED, all_facts().values())
        assert (sorted(outcome.stale), outcome.surplus) == ([], [])

    @pytest.mark.parametrize("path", sorted(COMMITTED.glob("*.json")), ids=lambda path: path.name)
    def test_are_schemas_by_which_a_fact_is_read(self, path: Path) -> None:
        schema = json.loads(path.read_text())
        Draft202012Validator.check_schema(schema)
        type_, _, version = path.name.removesuffix(".json").rpartition(".v")
        payload = sample(schema)
        Draft202012Validator(schema).validate(payload)
        kind = all_facts()[type_]
        fact = kind.from_payload(payload, fact_id=UUID(int=2), occurred_at=A_MOMENT, version=int(version))
        Draft202012Validator(schema_of(kind), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
            fact.as_payload()
        )

    def test_are_there_for_every_fact(self) -> None:
        names = {path.name for path in COMMITTED.glob("*.json")}
        assert names >= {file_name(fact) for fact in all_facts().values()}
