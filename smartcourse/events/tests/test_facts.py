"""What a fact may be, what it is in JSON, and how the registry knows it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.conf import settings

from smartcourse.events import facts
from smartcourse.events.facts import Fact, all_facts, fact_class
from smartcourse.events.signals import signal_of

ROOT: Path = settings.BASE_DIR
A_MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

# Every fact that the product promises; what another context adds is welcome beside them.
PROMISED = {
    "user.registered", "user.verified", "user.role_changed",
    "course.created", "course.updated", "course.published", "course.publishing_failed", "course.archived",
    "enrollment.created", "enrollment.activated", "enrollment.completed", "enrollment.dropped",
    "enrollment.waitlisted", "payment.succeeded", "payment.refunded",
    "progress.updated", "progress.module_completed", "grade.posted",
    "certificate.issued",
    "notification.sent", "notification.failed",
    "report.completed",
    "workflow.failed",
}  # fmt: skip


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry as it is, and what a test declares is forgotten after it."""
    monkeypatch.setattr(facts, "_registry", dict(facts._registry))


def declare(**fields: Any) -> Any:
    """Declare a fact `kettle.boiled` with those fields, each a type or, as in a module, its text."""
    body = {
        "__module__": __name__,
        "__qualname__": "KettleBoiled",
        "__annotations__": {"kettle_id": "UUID", **fields},
        "type": "kettle.boiled",
        "aggregate": "kettle",
    }
    return dataclass(frozen=True, kw_only=True)(type("KettleBoiled", (Fact,), body))


class TestFields:
    @pytest.mark.parametrize(
        ("written", "value", "in_json"),
        [
            ("str", "grün", "grün"),
            ("int", 1999, 1999),
            ("float", 12.5, 12.5),
            ("bool", False, False),
            ("UUID", UUID(int=5), "00000000-0000-0000-0000-000000000005"),
            ("date", date(2026, 5, 4), "2026-05-04"),
            ("datetime", A_MOMENT, "2026-03-04T05:06:07+00:00"),
            ("UUID | None", UUID(int=5), "00000000-0000-0000-0000-000000000005"),
            ("date | None", date(2026, 5, 4), "2026-05-04"),
            ("datetime | None", A_MOMENT, "2026-03-04T05:06:07+00:00"),
            ("str | None", None, None),
        ],
    )
    def test_come_back_as_they_went(self, written: str, value: Any, in_json: Any) -> None:
        kind = declare(held=written)
        fact = kind(kettle_id=UUID(int=1), held=value, occurred_at=A_MOMENT)
        payload = fact.as_payload()
        assert payload == {"kettle_id": str(UUID(int=1)), "held": in_json}
        assert kind.from_payload(payload, fact_id=fact.fact_id, occurred_at=A_MOMENT) == fact

    @pytest.mark.parametrize(
        "written",
        [Decimal, bytes, object, Any, "list[str]", "dict[str, str]", "UUID | str", "None"],
    )
    def test_of_another_type_are_refused_where_they_are_declared(self, written: Any) -> None:
        with pytest.raises(TypeError, match=r"KettleBoiled\.held: a fact carries str, int"):
            declare(held=written)
        assert "kettle.boiled" not in all_facts()

    def test_cannot_be_changed(self) -> None:
        fact = declare(held="str")(kettle_id=UUID(int=1), held="water")
        with pytest.raises(AttributeError):
            fact.held = "tea"


@dataclass(frozen=True, kw_only=True)
class LampSold(Fact):
    """A lamp was sold; version 1 said `price` in whole units of one currency."""

    type: ClassVar[str] = "lamp.sold"
    aggregate: ClassVar[str] = "lamp"
    version: ClassVar[int] = 2

    lamp_id: UUID
    amount: int
    currency: str

    @classmethod
    def upgrade(cls, payload: dict[str, Any], version: int) -> dict[str, Any]:
        return {**payload, "amount": payload["price"] * 100, "currency": "EUR"}


# Declared for the tests alone; the product's registry is as it was.
facts._registry.pop("lamp.sold")


class TestVersions:
    def read(self, payload: dict[str, Any], version: int | None) -> LampSold:
        return LampSold.from_payload(
            {"lamp_id": str(UUID(int=1)), **payload},
            fact_id=UUID(int=2),
            occurred_at=A_MOMENT,
            version=version,
        )

    def test_an_older_one_is_upgraded(self) -> None:
        fact = self.read({"price": 12}, 1)
        assert (fact.lamp_id, fact.amount, fact.currency) == (UUID(int=1), 1200, "EUR")

    @pytest.mark.parametrize("version", [2, None])
    def test_its_own_is_read_as_it_stands(self, version: int | None) -> None:
        assert self.read({"amount": 5, "currency": "JPY"}, version).amount == 5

    def test_a_newer_one_is_read_as_far_as_it_is_known(self) -> None:
        assert self.read({"amount": 5, "currency": "JPY", "vat": 1}, 3).currency == "JPY"

    def test_one_that_lacks_what_is_needed_is_an_error_and_no_guess(self) -> None:
        with pytest.raises(TypeError, match="currency"):
            self.read({"amount": 5}, 2)


class TestRegistry:
    def test_holds_all_that_the_product_promises(self) -> None:
        assert set(all_facts()) >= PROMISED

    def test_gives_a_class_by_its_type(self) -> None:
        assert fact_class("user.registered").__name__ == "UserRegistered"

    def test_does_not_make_up_a_fact(self) -> None:
        with pytest.raises(LookupError, match=r"no fact is called 'user\.vanished'"):
            fact_class("user.vanished")

    def test_refuses_two_facts_of_one_name(self) -> None:
        declare(held="str")
        body = {"__module__": "elsewhere", "type": "kettle.boiled", "aggregate": "kettle"}
        with pytest.raises(TypeError, match=r"two facts are called kettle\.boiled"):
            type("KettleBoiled", (Fact,), body)


def every(check: Any) -> list[str]:
    """Return the types of the facts that fail the check."""
    return [fact.type for fact in all_facts().values() if not check(fact)]


class TestEveryFact:
    def test_is_a_frozen_dataclass_with_a_docstring_of_its_own(self) -> None:
        assert every(lambda f: f.__dataclass_params__.frozen and "__dataclass_fields__" in vars(f)) == []
        # A dataclass without a docstring is given its signature as one.
        assert every(lambda f: not f.__doc__.startswith(f"{f.__name__}(")) == []

    def test_is_named_by_what_it_is_about_and_a_past_tense(self) -> None:
        subjects_and_deeds = [type_.split(".") for type_ in all_facts()]
        assert all(len(parts) == 2 for parts in subjects_and_deeds)
        assert [deed for _, deed in subjects_and_deeds if not deed.endswith("ed") and deed != "sent"] == []

    def test_says_the_currency_of_an_amount_and_gives_it_in_minor_units(self) -> None:
        with_money = [f for f in all_facts().values() if "amount" in f.field_types]
        assert with_money
        assert [
            f.type
            for f in with_money
            if f.field_types["amount"].kind is not int or "currency" not in f.field_types
        ] == []

    def test_is_planned_exactly_as_long_as_nobody_publishes_it(self) -> None:
        made = set(names_called())
        assert [f.type for f in all_facts().values() if f.planned == (f.__name__ in made)] == []

    def test_has_one_signal_of_its_own(self) -> None:
        signals = [signal_of(fact) for fact in all_facts().values()]
        assert len({id(signal) for signal in signals}) == len(signals)
        assert signals == [signal_of(fact) for fact in all_facts().values()]


def names_called() -> Iterator[str]:
    """Yield the name of everything that is called in the product's code, a class that is made among it."""
    packages = [ROOT / "smartcourse", *(path.parent for path in ROOT.glob("*/events.py"))]
    for path in (path for package in packages for path in package.rglob("*.py")):
        if {"tests", "migrations"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


WITHOUT_DJANGO = """
import importlib, sys

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("django", "rest_framework", "celery", "psycopg", "redis"):
            raise ImportError(f"a fact needs no {name}")

sys.meta_path.insert(0, Refusal())
for name in sys.argv[1:]:
    importlib.import_module(name)
from smartcourse.events.facts import all_facts
print(*sorted(all_facts()))
"""


def test_facts_are_read_without_django() -> None:
    declaring = [*ROOT.glob("*/events.py"), *ROOT.glob("smartcourse/*/events.py")]
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in declaring]
    modules += ["smartcourse.events.facts", "smartcourse.events.schemas"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DJANGO, *modules],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) >= PROMISED
