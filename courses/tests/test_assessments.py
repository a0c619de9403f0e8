"""Grading answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from courses import services
from courses.models import Quiz
from courses.tests.factories import CourseFactory, LessonFactory, freeze

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
            ((None, None, None, None, 10**400), [False] * 5),
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


class TestDefineQuiz:
    def test_leaves_learners_what_was_published(self, quiz: Quiz) -> None:
        course = quiz.lesson.module.course
        publication = freeze(course)
        before = services.questions_of(quiz_id=quiz.pk)
        services.define_quiz(
            lesson_id=quiz.lesson_id, pass_percentage=50, attempt_limit=None, questions=QUESTIONS[2:3]
        )
        assert services.questions_of(quiz_id=quiz.pk) == before
        right = {before[2]["id"]: False, before[3]["id"]: "coffee house"}
        assert services.grade_answers(quiz_id=quiz.pk, answers=right).score == 2
        freeze(course)
        assert [q["prompt"] for q in services.questions_of(quiz_id=quiz.pk)] == ["3"]
        publication.refresh_from_db()
        assert len(publication.lessons.get().questions) == 5, "what was published stays what it was"

    def test_keeps_the_ids_of_questions_that_ask_the_same(self, quiz: Quiz) -> None:
        before = [q.pk for q in quiz.questions.all()]
        changed = [{**QUESTIONS[1], "points": 3}, {**QUESTIONS[0], "prompt": "Another"}]
        services.define_quiz(
            lesson_id=quiz.lesson_id, pass_percentage=50, attempt_limit=None, questions=changed
        )
        after = [q.pk for q in quiz.questions.all()]
        assert after[0] == before[1]
        assert after[1] not in before

    def test_refuses_half_a_character_in_a_key(self, quiz: Quiz, client_of: Any) -> None:
        client, url = client_of(quiz.lesson.module.course.instructor), f"/api/v1/quizzes/{quiz.pk}"
        for key, status in (("\ud800", 400), ("A", 200)):
            body = json.dumps({"questions": [{**QUESTIONS[3], "key": [key], "choices": []}]})
            answer = client.generic("PUT", url, body, content_type="application/json")
            assert answer.status_code == status, answer.content


class TestDeleteLesson:
    def test_takes_a_quiz_along_that_nobody_ever_saw(self, quiz: Quiz) -> None:
        services.delete_lesson(lesson_id=quiz.lesson_id)
        assert not Quiz.objects.exists()

    @pytest.mark.parametrize("whole", [False, True])
    def test_leaves_learners_the_quiz_that_they_take(self, quiz: Quiz, whole: bool, client_of: Any) -> None:
        course, module = quiz.lesson.module.course, quiz.lesson.module
        freeze(course)
        url = f"/api/v1/courses/{course.pk}/modules/{module.pk}"
        url = url if whole else f"{url}/lessons/{quiz.lesson_id}"
        assert client_of(course.instructor).delete(url).status_code == 204
        assert len(services.questions_of(quiz_id=quiz.pk)) == 5
        assert client_of(course.instructor).get(f"/api/v1/quizzes/{quiz.pk}").status_code == 404
