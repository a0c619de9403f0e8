"""Definitions of what learners are assessed by; their attempts and grades belong to progress.

A definition outlives the draft of its lesson, as the published lesson does: learners took it, and a lesson that left
the draft is read until the next publication. So `lesson` points to a row that may be gone; `lesson_id` is the lasting
id that published lessons have too. `courses.services.delete_lesson` deletes the definitions that nobody ever saw.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models

from courses.models.authoring import Lesson
from smartcourse.db.models import Entity


class QuestionKind(models.TextChoices):
    SINGLE_CHOICE = "single_choice"
    MULTIPLE_CHOICE = "multiple_choice"
    TRUE_FALSE = "true_false"
    SHORT_TEXT = "short_text"
    NUMERIC = "numeric"


class Quiz(Entity):
    """The quiz of a quiz lesson.

    Its pass mark and attempt limit hold at once, as a course's price does. Its questions are a draft: learners are
    asked those that were frozen in `PublishedLesson.questions`.
    """

    lesson = models.OneToOneField(
        Lesson, on_delete=models.DO_NOTHING, db_constraint=False, related_name="quiz"
    )
    pass_percentage = models.PositiveSmallIntegerField(default=60, validators=[MaxValueValidator(100)])
    attempt_limit = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "quizzes"

    def __str__(self) -> str:
        return f"Quiz of {self.lesson_id}"


class Question(Entity):
    """One question. `key` never leaves this context but through `services.grade_answers`.

    choices: `[{"key": "a", "text": "..."}]` for single and multiple choice, else empty. key, by kind: `["a", ...]`
    for single and multiple choice · `true` or `false` · `["accepted", ...]` for short text · `{"value": 3.5,
    "tolerance": 0.1}` for numeric.
    """

    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="questions")
    kind = models.CharField(max_length=20, choices=QuestionKind.choices)
    prompt = models.TextField()
    choices = models.JSONField(default=list, blank=True)
    key = models.JSONField()
    explanation = models.TextField(blank=True, help_text="Shown with the result.")
    points = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.prompt[:80]


class Assignment(Entity):
    """What an assignment lesson asks for; the instructions are the lesson's content."""

    lesson = models.OneToOneField(
        Lesson, on_delete=models.DO_NOTHING, db_constraint=False, related_name="assignment"
    )
    points = models.DecimalField(max_digits=7, decimal_places=2, default=100)

    def __str__(self) -> str:
        return f"Assignment of {self.lesson_id}"
