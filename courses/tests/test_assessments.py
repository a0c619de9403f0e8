"""Grading answers."""

from __future__ import annotations

from typing import Any

import pytest

from courses import services
from courses.models import Quiz
from courses.tests.factories import CourseFactory, LessonFactory

CHOICES = [{"key": key, "text": key.upper()} for key in "abc"]
QUESTIONS: list[dict[str, Any]] = [
    {"kind": "single_choice", "prompt": "1", "choices": CHOICES, "key": ["a"], "points": 2},
    {"kind": "multiple_choice", "prompt": "2", "choices": CHOICES, "key": ["a", "c"]},
    {"kind": "true_false", "prompt": "3", "key": False},
    {"kind": "short_text", "prompt": "4", "key": ["Café", "coffee house"]},
    {"kind": "numeric", "prompt": "5", "key": {"value": 3.5, "tolerance": 0.1}, "explanation": "Because."},
]


@pytest.fixture
def quiz(db: None) -> Quiz:
    lesson = LessonFactory(module=CourseFactory(lessons=0).modules.get(), type="quiz", content="")
    return services.define_quiz(
        lesson_id=lesson.pk, pass_percentage=50, attempt_limit=None, questions=QUESTIONS
    )


def graded(quiz: Quiz, *answers: Any) -> list[bool]:
    keyed = {str(q.pk): answer for q, answer in zip(quiz.questions.all(), answers, strict=True)}
    return [row["correct"] for row in services.grade_answers(quiz_id=quiz.pk, answers=keyed).results]


class TestGradeAnswers:
    @pytest.mark.parametrize(
        ("answers", "right"),
        [
            (("a", ["c", "a"], False, " cafe\u0301 ", 3.6), [True] * 5),
            ((["a"], ["a"], True, "coffee  HOUSE", 3.39), [True, False, False, True, False]),
            (("b", ["a", "a", "c"], 0, "", "3.5"), [False] * 5),
            ((None, "ac", None, 7, True), [False] * 5),
            (({}, {}, [], [], float("nan")), [False] * 5),
        ],
    )
    def test_knows_right_from_wrong(self, quiz: Quiz, answers: Any, right: list[bool]) -> None:
        assert graded(quiz, *answers) == right

    def test_weighs_questions_by_their_points(self, quiz: Quiz) -> None:
        first = quiz.questions.all()[0]
        result = services.grade_answers(quiz_id=quiz.pk, answers={str(first.pk): "a", "nonsense": 1})
        assert (result.score, result.maximum, result.percentage, result.passed) == (2, 6, 33.33, False)

    def test_questions_are_told_without_their_keys(self, quiz: Quiz) -> None:
        for question in services.questions_of(quiz_id=quiz.pk):
            assert set(question) == {"id", "kind", "prompt", "choices", "points"}
