"""What the outbox and its archive hold of a person: ids, and in a few facts words, which go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from smartcourse.db.personal import Holding, Person, Texts, declare
from smartcourse.events.facts import all_facts
from smartcourse.events.models import ArchivedFact, OutboxFact, WrittenFact

# The fields by which facts name people.
PEOPLE = ("user_id", "student_id", "instructor_id", "recipient_id", "requester_id", "owner_id")
NAMELESS = "an id behind which nobody is any more, and words that are about no person"
OURS = "how it is relayed, and nothing about the person"


def _about(table: type[WrittenFact]) -> Callable[[Person], QuerySet[Any]]:
    def rows(person: Person) -> QuerySet[Any]:
        named = reduce(or_, (Q(payload__contains={name: str(person.id)}) for name in PEOPLE))
        return table._base_manager.filter(named)  # noqa: SLF001 - documented: no filter of its own

    return rows


def empty_personal_words(person: Person, at: datetime) -> None:
    """Empty what a fact says in somebody's own words (`Fact.personal`), relayed or not, archived or not."""
    personal = {fact.type: fact.personal for fact in all_facts().values() if fact.personal}
    for table in (OutboxFact, ArchivedFact):
        facts: QuerySet[Any] = _about(table)(person).filter(type__in=personal)
        for fact in facts.iterator():
            fact.payload |= {name: "" for name in personal[fact.type] if fact.payload.get(name)}
            fact.save(update_fields=["payload"])


TOLD = ("id", "type", "version", "aggregate", "aggregate_id", "occurred_at", "payload")
KEPT = dict.fromkeys(("type", "aggregate", "aggregate_id", "payload", "request_id"), NAMELESS)

declare(
    "events",
    Holding(
        model="events.OutboxFact", rows=_about(OutboxFact), told=TOLD, kept=KEPT,
        untold=dict.fromkeys(("sequence", "request_id", "position", "relayed_at"), OURS),
    ),
    Holding(
        model="events.ArchivedFact", rows=_about(ArchivedFact), told=TOLD, kept=KEPT,
        untold=dict.fromkeys(("sequence", "request_id", "position", "archived_at"), OURS),
    ),
    # What failed may have said whom it failed for.
    texts=(Texts(model="events.Delivery", columns=("last_error",), names=True),),
    impersonal={"events.AggregateCounter": "how many facts there were of an aggregate"},
    erase=empty_personal_words,
)  # fmt: skip
