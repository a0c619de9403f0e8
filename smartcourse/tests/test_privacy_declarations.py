"""Every column of every table that could hold something of a person is declared: told or not, erased or kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from smartcourse.db.personal import Holding, all_rooms
from smartcourse.events.facts import all_facts, own_fields
from smartcourse.events.privacy import PEOPLE
from smartcourse.processes.privacy import ROOMS
from smartcourse.workflows.definitions import process_called

# Numbers, moments, dates and switches say something only together with whom they are about.
WITHOUT_WORDS = (
    models.DateTimeField, models.DateField, models.BooleanField, models.IntegerField, models.FloatField,
    models.DecimalField,
)  # fmt: skip
# The ids in facts that lead to no person, and the texts in them that nobody wrote of anybody.
IDS_OF_THINGS = {
    "mailing_id", "change_id", "application_id", "request_id", "course_id", "module_id", "lesson_id", "enrollment_id",
    "payment_id",
    "order_id", "certificate_id", "message_id", "workflow_id", "subject_id", "endpoint_id", "delivery_id",
    "publication_id", "grade_id", "report_id", "refund_id",
}  # fmt: skip
WORDS_OF_NOBODY = {
    "method", "role", "title", "course_title", "module_title", "currency", "message_type", "channel", "report_type",
    "file_format", "process", "error_code", "error", "subscriber", "fact_type",
}  # fmt: skip


def tables() -> dict[str, type[models.Model]]:
    """Return our tables and those of Django and its friends; the tests' own are of no interest."""
    return {
        model._meta.label: model
        for model in apps.get_models(include_auto_created=True)
        if not model.__module__.startswith(("smartcourse.tests", "benchmarks"))
    }


def holdings() -> dict[str, list[Holding]]:
    found: dict[str, list[Holding]] = defaultdict(list)
    for room in all_rooms():
        for holding in room.holdings:
            found[holding.model].append(holding)
    return found


def impersonal() -> dict[str, str]:
    return {label: reason for room in all_rooms() for label, reason in room.impersonal.items()}


def columns(label: str) -> Iterator[models.Field[Any, Any]]:
    yield from tables()[label]._meta.concrete_fields


class TestTables:
    def test_are_all_declared(self) -> None:
        with_texts = {texts.model for room in all_rooms() for texts in room.texts}
        assert set(tables()) - set(holdings()) - set(impersonal()) - with_texts == set()

    def test_that_lead_to_a_person_are_not_called_impersonal(self) -> None:
        leading = {
            label
            for label in impersonal()
            for column in columns(label)
            if column.is_relation and column.related_model._meta.label == settings.AUTH_USER_MODEL  # type: ignore[union-attr]  # a relation's
        }
        assert leading == set()

    def test_with_columns_named_like_something_of_a_person_are_not_called_impersonal(self) -> None:
        likely = (
            "email",
            "full_name",
            "address",
            "user_agent",
            "phone",
            "birth",
            "student",
            "recipient",
            "owner",
            "user",
        )
        named = {(label, column.name) for label in impersonal() for column in columns(label)}
        assert {entry for entry in named if any(word in entry[1] for word in likely)} == set()

    def test_are_declared_once_and_exist(self) -> None:
        assert set(holdings()) | set(impersonal()) <= set(tables())
        assert set(holdings()) & set(impersonal()) == set()


class TestColumns:
    @pytest.mark.parametrize("label", sorted(holdings()))
    def test_are_all_told_or_not_with_a_reason(self, label: str) -> None:
        said: set[str] = set()
        for holding in holdings()[label]:
            said |= {*holding.told, *holding.files, *holding.untold}
        said |= {name.split("__")[0] for name in said}
        missing = {column.name for column in columns(label)} - said
        # Of what somebody did to another's record, the other's columns are not theirs to be told.
        assert missing <= {"by"}, missing

    @pytest.mark.parametrize("label", sorted(holdings()))
    def test_that_hold_words_or_lead_to_a_person_are_erased_or_kept_with_a_reason(self, label: str) -> None:
        if any(holding.deleted for holding in holdings()[label]):
            return
        emptied = {
            c for room in all_rooms() for texts in room.texts if texts.model == label for c in texts.columns
        }
        said = {name for holding in holdings()[label] for name in {*holding.erased, *holding.kept}} | emptied
        open_ones = {
            column.name
            for column in columns(label)
            if not isinstance(column, WITHOUT_WORDS) and not column.primary_key
        }
        assert open_ones - said == set()

    def test_that_are_named_exist(self) -> None:
        for label, declared in holdings().items():
            names = {column.name for column in columns(label)}
            for holding in declared:
                named = {*holding.told, *holding.files, *holding.untold, *holding.erased, *holding.kept}
                assert {name for name in named if "__" not in name} <= names, label

    def test_that_are_kept_or_not_told_say_why(self) -> None:
        reasons = [
            reason
            for declared in holdings().values()
            for holding in declared
            for reason in (*holding.untold.values(), *holding.kept.values())
        ]
        assert [reason for reason in [*reasons, *impersonal().values()] if len(reason.split()) < 3] == []

    def test_that_hold_secrets_are_never_told(self) -> None:
        secret = ("password", "secret", "digest", "token", "hash", "signing", "recovery_code")
        told = {(label, name) for label, declared in holdings().items() for h in declared for name in h.told}
        assert {entry for entry in told if any(word in entry[1] for word in secret)} == set()


class TestFacts:
    def test_name_people_by_the_fields_that_the_outbox_is_searched_by(self) -> None:
        ids = {
            field.name
            for fact in all_facts().values()
            for field in own_fields(fact)
            if fact.__module__.split(".")[-1] == "events" and field.name.endswith("_id")
        }
        assert ids - set(PEOPLE) - IDS_OF_THINGS == set()

    def test_say_which_of_their_words_are_somebodys_own(self) -> None:
        words = {
            (fact.type, name)
            for fact in all_facts().values()
            if fact.__module__.split(".")[-1] == "events"
            for name, kind in fact.field_types.items()
            if kind.kind is str and name not in fact.personal
        }
        assert {word for word in words if word[1] not in WORDS_OF_NOBODY} == set()


class TestProcess:
    def test_goes_through_every_room_and_through_accounts_last(self) -> None:
        assert set(ROOMS) == {room.name for room in all_rooms()}
        assert ROOMS[-1] == "accounts"
        steps = [step.name for step in process_called("erasure").steps]
        assert steps[2:-1] == [f"erase_in_{room}" for room in ROOMS]
