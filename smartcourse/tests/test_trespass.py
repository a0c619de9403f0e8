"""What a permitted caller may not do by what is sent: fields that are not theirs to set, ids from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import models
from django.urls import resolve

from accounts.models import (
    ApiKey,
    EmailChange,
    InstructorApplication,
    InstructorProfile,
    PrivacyRequest,
    SecondFactor,
    SignInChallenge,
    User,
)
from courses.models import Course, Lesson, Material, Module, Question, Quiz
from enrollments.models import Enrollment
from progress.models import LessonProgress, QuizAttempt, Submission
from smartcourse.api.serializers import InputSerializer
from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.matrix import BODIES, PUBLISHED, Row, rows_of, send
from smartcourse.tests.world import World, course_of, learner
from smartcourse.webhooks.models import Endpoint

pytestmark = pytest.mark.django_db

# What the action of a viewset writes.
WRITES: dict[str, tuple[type[models.Model], ...]] = {
    "AuthViewSet": (User,), "PasswordGrantViewSet": (User,), "UserViewSet": (User,),
    "InstructorViewSet": (InstructorProfile, User), "CourseViewSet": (Course,), "ModuleViewSet": (Module, Lesson),
    "MaterialViewSet": (Material,), "QuizViewSet": (Quiz, Question), "EnrollmentViewSet": (Enrollment,),
    "QuizAttemptViewSet": (QuizAttempt,), "SubmissionViewSet": (Submission,), "LessonViewSet": (Lesson, LessonProgress),
    "WebhookViewSet": (Endpoint,), "ApiKeyViewSet": (ApiKey,),
    "ErasureViewSet": (PrivacyRequest, User), "InstructorApplicationViewSet": (InstructorApplication, User),
    "RecoveryViewSet": (User,), "EmailChangeViewSet": (User, EmailChange),
    "SecondStepViewSet": (User, SignInChallenge), "SecondFactorViewSet": (User, SecondFactor),
}  # fmt: skip


def view_of(row: Row) -> Any:
    _, route = row.action()
    return resolve("/" + route_filled(route)).func


def route_filled(route: str) -> str:
    return "/".join(word_for(word) for word in route.split("/"))


def word_for(word: str) -> str:
    if word.startswith("<role:"):
        return "student"
    return "0190a6c4-0000-7000-8000-000000000000" if word.startswith("<") else word


def input_of(row: Row) -> type[Any] | None:
    """Return the serializer of the body of the row's action, where it takes one."""
    view = view_of(row)
    actions = getattr(view, "actions", {})
    return view.cls.inputs.get(actions.get(row.method.lower())) if actions else None


WITH_INPUT = [row for row in rows_of(PUBLISHED) if input_of(row)]


def nested(serializer: Any) -> Iterator[Any]:
    """Yield the serializer, and those of its fields."""
    serializer = getattr(serializer, "child", serializer)
    if hasattr(serializer, "fields"):
        yield serializer
        for field in serializer.fields.values():
            yield from nested(field)


class TestMassAssignment:
    def test_is_looked_at_for_every_input(self) -> None:
        assert {row.name for row in WITH_INPUT} == set(BODIES)
        assert {view_of(row).cls.__name__ for row in WITH_INPUT} == set(WRITES)

    @pytest.mark.parametrize("row", WITH_INPUT, ids=str)
    def test_refuses_every_field_of_the_model_that_is_no_input(
        self, row: Row, world: World, client_of: ClientOf
    ) -> None:
        serializer = input_of(row)
        assert serializer is not None
        role = next(role for role, status in row.statuses.items() if status < 300)
        fields = {f.name for model in WRITES[view_of(row).cls.__name__] for f in model._meta.get_fields()}
        fields |= {"id", "pk", "role", "is_staff", "is_superuser"} - set(serializer().fields)
        foreign = fields - set(serializer().fields)
        body = BODIES[row.name](world) | dict.fromkeys(foreign, "x")
        answer = send(client_of(world.people[role]), row, world, body)
        assert answer.status_code == 400
        assert {e["field"] for e in answer.json()["errors"] if e["code"] == "unknown_field"} == foreign

    @pytest.mark.parametrize("row", WITH_INPUT, ids=str)
    def test_is_refused_in_nested_objects_too(self, row: Row) -> None:
        serializer = input_of(row)
        assert serializer is not None
        assert [s for s in nested(serializer()) if not isinstance(s, InputSerializer)] == []


@pytest.fixture
def wider(world: World) -> World:
    """The world with another course of the same instructor, so that not her rights but the ids decide."""
    other = course_of(world.role("IO"), published=True)
    learner(world.people["EN"], other.course)
    rows = world.rows | {f"other_{name}": row for name, row in other.rows.items()}
    rows["second_module"] = Module.objects.create(course=world.course, title="Second", position=1)
    return replace(world, rows=rows)


ADDRESSES = [
    "PUT courses/{course}/modules/{other_module}",
    "PATCH courses/{course}/modules/{other_module}",
    "DELETE courses/{course}/modules/{other_module}",
    "GET courses/{course}/modules/{other_module}/lessons",
    "POST courses/{course}/modules/{other_module}/lessons",
    "GET courses/{course}/modules/{other_module}/lessons/{other_lesson}",
    "DELETE courses/{course}/modules/{other_module}/lessons/{other_lesson}",
    "GET courses/{course}/modules/{module}/lessons/{other_lesson}",
    "PUT courses/{course}/modules/{module}/lessons/{other_lesson}",
    "PATCH courses/{course}/modules/{module}/lessons/{other_lesson}",
    "DELETE courses/{course}/modules/{module}/lessons/{other_lesson}",
    "PATCH courses/{course}/modules/{second_module}/lessons/{lesson}",
    "DELETE courses/{course}/modules/{second_module}/lessons/{lesson}",
    # An id of one kind where another is wanted.
    "GET courses/{module}",
    "GET quizzes/{quiz_lesson}",
    "GET enrollments/{course}",
    "GET certificates/{finished}",
    "GET materials/{material}/content?{file_link}x",
    "GET materials/{other_material}/content?{file_link}",
]
BODY_OF = {"PUT": {"title": "Taken over"}, "PATCH": {"title": "Taken over"}, "POST": {"title": "Taken over"}}


class TestForeignIds:
    @pytest.mark.parametrize("name", ADDRESSES)
    def test_are_not_found_in_an_address(self, name: str, wider: World, client_of: ClientOf) -> None:
        row = Row(name, {})
        answer = send(client_of(wider.people["IO"]), row, wider, BODY_OF.get(row.method))
        assert answer.status_code == 404

    @pytest.mark.parametrize(
        ("name", "swapped", "status"),
        [
            ("POST courses/{course}/quizzes", "quiz_lesson", 404),
            ("POST courses/{course}/materials", "lesson", 422),
            ("PUT courses/{course}/order", "module", 422),
            ("PUT courses/{course}/order", "lesson", 422),
        ],
    )
    def test_are_refused_in_an_authors_body(
        self, name: str, swapped: str, status: int, wider: World, client_of: ClientOf
    ) -> None:
        row = Row(name, {})
        wider.rows[swapped] = wider.rows[f"other_{swapped}"]
        body = BODIES[name](wider)
        if "file" in body:
            body["lesson_ids"] = [wider[swapped]]
        assert send(client_of(wider.people["IO"]), row, wider, body).status_code == status

    def test_earn_nothing_among_the_answers_to_a_quiz(self, wider: World, client_of: ClientOf) -> None:
        row = Row("POST quizzes/{quiz}/submit", {})
        asked = wider["question"]
        wider.rows["question"] = wider.rows["other_question"]
        told = send(client_of(wider.people["EN"]), row, wider, BODIES[row.name](wider)).json()
        assert (told["score"], told["passed"]) == (0, False)
        assert [result["question_id"] for result in told["results"]] == [asked]

    def test_of_an_attempt_open_no_other_quiz(self, wider: World, client_of: ClientOf) -> None:
        body = {"attempt_id": wider["attempt"], "answers": {}}
        answer = send(client_of(wider.people["EN"]), Row("POST quizzes/{other_quiz}/submit", {}), wider, body)
        assert answer.status_code == 404
