"""Quizzes: defining them, and grading answers; the key leaves this context in no other way."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from courses.models import Lesson, LessonType, PublishedLesson, Question, QuestionKind, Quiz
from courses.services.authoring import lock_lesson
from smartcourse.db.identifiers import uuid7
from smartcourse.errors import FieldError, Unacceptable

LARGEST_NUMBER = 10**300
# What is frozen of a question, and what of that is shown to whoever takes the quiz.
FROZEN = ("id", "kind", "prompt", "choices", "key", "explanation", "points")
SHOWN = ("id", "kind", "prompt", "choices", "points")


class QuestionInvalid(Unacceptable):
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

    Learners go on being asked what was published. A question that asks the same as before keeps its id.

    Raises:
        QuestionInvalid: there is none, the lesson is no quiz lesson, or a key does not fit its question.
        DraftNotFound: there is no such lesson.
        CourseArchivedAlready: the course is archived.
    """
    if not questions:
        raise QuestionInvalid("A quiz has at least one question.")
    rows = [row for n, question in enumerate(questions) for row in _faults(n, question)]
    if rows:
        raise QuestionInvalid(errors=rows)
    with transaction.atomic():
        lesson = lock_lesson(lesson_id)
        if lesson.type != LessonType.QUIZ:
            raise QuestionInvalid("Only a lesson of type quiz has a quiz.")
        quiz, _ = Quiz.objects.update_or_create(
            lesson=lesson, defaults={"pass_percentage": pass_percentage, "attempt_limit": attempt_limit}
        )
        known = {(q.kind, q.prompt): q.pk for q in quiz.questions.all()}
        quiz.questions.all().delete()
        Question.objects.bulk_create(
            Question(
                id=known.pop((q["kind"], q["prompt"]), None) or uuid7(), quiz=quiz,
                kind=q["kind"], prompt=q["prompt"], choices=q.get("choices") or [], key=q["key"],
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
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # JSON knows integers of any length; one that no float holds is no answer to a question, and no key.
    return math.isfinite(value) if isinstance(value, float) else abs(value) <= LARGEST_NUMBER


def frozen_questions(lesson: Lesson) -> list[dict[str, Any]] | None:
    """Return the questions of a quiz lesson as a publication keeps them, keys included; None for other lessons."""
    if lesson.type != LessonType.QUIZ or not hasattr(lesson, "quiz"):
        return None
    return [_frozen(question) for question in lesson.quiz.questions.all()]


def _frozen(question: Question) -> dict[str, Any]:
    return {name: getattr(question, name) for name in FROZEN} | {"id": str(question.pk)}


def questions_of(*, quiz_id: UUID) -> list[dict[str, Any]]:
    """Return the published questions of a quiz as whoever takes it sees them: without keys and explanations."""
    quiz = Quiz.objects.get(pk=quiz_id)
    return [{name: question[name] for name in SHOWN} for question in _questions_in_force(quiz)]


def _questions_in_force(quiz: Quiz) -> list[dict[str, Any]]:
    """Return the questions as the current publication froze them; the draft's, where none did."""
    published = PublishedLesson.objects.filter(
        lesson_id=quiz.lesson_id, publication=F("publication__course__current_publication")
    )
    frozen: list[dict[str, Any]] | None = published.values_list("questions", flat=True).first()
    return frozen if frozen is not None else [_frozen(question) for question in quiz.questions.all()]


def grade_answers(*, quiz_id: UUID, answers: Mapping[str, Any]) -> GradedAnswers:
    """Grade answers to the published questions, by question id.

    An answer is a key for single choice, keys for multiple, a boolean, a text, or a number.

    A question that was not answered, or not in its form, is wrong; what is no question of the quiz is passed over.
    """
    quiz = Quiz.objects.get(pk=quiz_id)
    results, score, maximum = [], 0.0, 0.0
    for question in _questions_in_force(quiz):
        correct = is_correct(question["kind"], question["key"], answers.get(question["id"]))
        points = question["points"] if correct else 0
        maximum += question["points"]
        score += points
        results.append(
            {
                "question_id": question["id"],
                "correct": correct,
                "points": points,
                "explanation": question["explanation"],
            }
        )
    percentage = round(100 * score / maximum, 2) if maximum else 100.0
    return GradedAnswers(score, maximum, percentage, percentage >= quiz.pass_percentage, results)


def is_correct(kind: str, key: Any, answer: Any) -> bool:
    """Return whether the answer to a question of that kind is right; one of the wrong form is not."""
    match kind:
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
