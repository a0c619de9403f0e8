"""What is for instructors reaches no learner, by whatever address: notes, and the keys of quizzes that are not done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from courses.models import QuestionKind
from courses.tests.factories import freeze
from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.matrix import BODIES, PUBLISHED, Row, rows_of
from smartcourse.tests.world import World, build_world

NOTES, KEY = "planted-notes-of-hers", "planted-key-of-it"
# Answers without effect on what is asked next; a submission may tell the key, by the rule of the quiz.
READS = [row for row in rows_of(PUBLISHED) if row.method == "GET"]
ASKED_FOR_BY_POST = [
    row for row in rows_of(PUBLISHED) if row.name in {"POST quizzes/{quiz}/attempts", "POST enrollments"}
]


@pytest.fixture(scope="class")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """The world, with notes at the lesson and a key that can be looked for."""
    with django_db_blocker.unblock(), transaction.atomic():
        built = build_world()
        lesson, question = built.rows["lesson"], built.rows["question"]
        for each in (lesson, built.rows["preview"]):
            each.instructor_notes = NOTES
            each.save()
        question.kind, question.key = QuestionKind.SHORT_TEXT, [KEY]
        question.save()
        freeze(built.course)
        yield built
        transaction.set_rollback(True)


def told(client: Any, row: Row, world: World) -> str:
    method = getattr(client, row.method.lower())
    with transaction.atomic():
        body = BODIES[row.name](world) if row.name in BODIES else None
        answer = method(world.path(row.template), body)
        transaction.set_rollback(True)
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(
        errors="replace"
    )


@pytest.mark.django_db
class TestNotesAndKeys:
    @pytest.mark.parametrize("row", [*READS, *ASKED_FOR_BY_POST], ids=str)
    def test_are_told_to_nobody_who_learns(self, row: Row, world: World, client_of: ClientOf) -> None:
        answers = {
            role: told(client_of(world.people[role]), row, world) for role in ("AN", "ST", "EN", "OS", "OI")
        }
        assert [role for role, text in answers.items() if NOTES in text or KEY in text] == []

    @pytest.mark.parametrize("role", ["IO", "SF", "AD"])
    def test_are_told_to_those_who_teach(self, role: str, world: World, client_of: ClientOf) -> None:
        everything = "".join(told(client_of(world.people[role]), row, world) for row in READS)
        assert NOTES in everything
        assert KEY in everything
