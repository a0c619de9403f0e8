"""Quizzes: defining them, and grading answers; the key leaves this context in no other way."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from courses.models import Lesson, LessonType, Question, QuestionKind, Quiz
from smartcourse.errors import FieldError, Invalid


class QuestionInvalid(Invalid):
    """A question cannot be answered as it stands."""

    message = "A question is not complete."


@dataclass(frozen=True)
class GradedAnswers:
    """What answers came to: points, percent (0 to 100), and a row a question."""

    score: float
    maximum: float
    percentage: float
    passed: bool
    results: list[dict[str, Any]]


def define_quiz(
    *,
    lesson_id: UUID,
    pass_percentage: int,
    attempt_limit: int | None,
    questions: Sequence[Mapping[str, Any]],
) -> Quiz:
    """Set the quiz of a quiz lesson to these questions: `{kind, prompt, choices, key, points, explanation}`.

    Raises:
        QuestionInvalid: there is none, the lesson is no quiz lesson, or a key does not fit its question.
    """
    if not questions:
        raise QuestionInvalid("A quiz has at least one question.")
    rows = [row for n, question in enumerate(questions) for row in _faults(n, question)]
    if rows:
        raise QuestionInvalid(errors=rows)
    with transaction.atomic():
        lesson = Lesson.objects.select_for_update(of=("self",)).get(pk=lesson_id)
        if lesson.type != LessonType.QUIZ:
            raise QuestionInvalid("Only a lesson of type quiz has a quiz.")
        quiz, _ = Quiz.objects.update_or_create(
            lesson=lesson, defaults={"pass_percentage": pass_percentage, "attempt_limit": attempt_limit}
        )
        quiz.questions.all().delete()
        Question.objects.bulk_create(
            Question(
                quiz=quiz, kind=q["kind"], prompt=q["prompt"], choices=q.get("choices") or [], key=q["key"],
                explanation=q.get("explanation", ""), points=q.get("points", 1), position=n,
            )
            for n, q in enumerate(questions)
        )  # fmt: skip
        return quiz


def _faults(number: int, question: Mapping[str, Any]) -> list[FieldError]:
    """Return what keeps the question from being answered."""
    key, choices = question["key"], [c["key"] for c in question.get("choices") or []]
    match question["kind"]:
        case QuestionKind.SINGLE_CHOICE | QuestionKind.MULTIPLE_CHOICE:
            fits = _is_texts(key) and set(key) <= set(choices) and len(set(choices)) == len(choices) > 1
            fits = fits and (len(key) == 1 or question["kind"] == QuestionKind.MULTIPLE_CHOICE)
        case QuestionKind.TRUE_FALSE:
            fits = isinstance(key, bool)
        case QuestionKind.SHORT_TEXT:
            fits = _is_texts(key)
        case QuestionKind.NUMERIC:
            fits = (
                isinstance(key, dict) and set(key) <= {"value", "tolerance"} and _is_number(key.get("value"))
            )
            fits = fits and _is_number(key.get("tolerance", 0)) and key.get("tolerance", 0) >= 0
        case _:
            fits = False
    sentence = f"The key does not fit a question of kind {question['kind']}."
    return [] if fits else [FieldError(f"questions.{number}.key", "invalid", sentence)]


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v for v in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def questions_of(*, quiz_id: UUID) -> list[dict[str, Any]]:
    """Return the questions of a quiz as whoever takes it sees them: without keys and explanations."""
    fields = ("id", "kind", "prompt", "choices", "points")
    return list(Question.objects.filter(quiz=quiz_id).order_by("position").values(*fields))


def grade_answers(*, quiz_id: UUID, answers: Mapping[str, Any]) -> GradedAnswers:
    """Grade answers by question id: a key for single choice, keys for multiple, a boolean, a text, or a number.

    A question that was not answered, or not in its form, is wrong; what is no question of the quiz is passed over.
    """
    quiz = Quiz.objects.get(pk=quiz_id)
    results, score, maximum = [], 0.0, 0.0
    for question in quiz.questions.all():
        correct = is_correct(question, answers.get(str(question.pk)))
        maximum += question.points
        score += question.points if correct else 0
        results.append(
            {
                "question_id": str(question.pk),
                "correct": correct,
                "points": question.points if correct else 0,
                "explanation": question.explanation,
            }
        )
    percentage = round(100 * score / maximum, 2) if maximum else 100.0
    return GradedAnswers(score, maximum, percentage, percentage >= quiz.pass_percentage, results)


def is_correct(question: Question, answer: Any) -> bool:
    """Return whether the answer is right; one of the wrong form is not."""
    key = question.key
    match question.kind:
        case QuestionKind.SINGLE_CHOICE:
            return bool(answer == key[0] or answer == key)
        case QuestionKind.MULTIPLE_CHOICE:
            return _is_texts(answer) and len(set(answer)) == len(answer) and set(answer) == set(key)
        case QuestionKind.TRUE_FALSE:
            return isinstance(answer, bool) and answer is key
        case QuestionKind.SHORT_TEXT:
            return isinstance(answer, str) and _folded(answer) in {_folded(text) for text in key}
        case QuestionKind.NUMERIC:
            return _is_number(answer) and bool(abs(answer - key["value"]) <= key.get("tolerance", 0) + 1e-9)
    return False


def _folded(text: str) -> str:
    """Return the text as it is compared: case, spacing and the way of composing accents do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
