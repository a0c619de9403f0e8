"""Learning for tests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile

from courses.models import Assignment, Course, Lesson, LessonType, Material, Question, QuestionKind, Quiz
from courses.tests.factories import freeze


def lesson_ids(course: Course) -> list[UUID]:
    """The lessons of the current publication, in order."""
    publication = course.current_publication
    assert publication is not None
    return [UUID(row["id"]) for module in publication.outline for row in module["lessons"]]


def with_quiz(course: Course, *, attempt_limit: int | None = None) -> Quiz:
    """Make the first lesson of the course a quiz of two questions, and publish that."""
    lesson = Lesson.objects.filter(module__course=course).order_by("module__position", "position")[0]
    lesson.type = LessonType.QUIZ
    lesson.save()
    quiz = Quiz.objects.create(lesson=lesson, pass_percentage=60, attempt_limit=attempt_limit)
    choices = [{"key": "a", "text": "Four"}, {"key": "b", "text": "Five"}]
    Question.objects.create(
        quiz=quiz, kind=QuestionKind.SINGLE_CHOICE, prompt="Two and two?", choices=choices, key=["a"],
        explanation="Count them.", points=2, position=0,
    )  # fmt: skip
    Question.objects.create(
        quiz=quiz, kind=QuestionKind.TRUE_FALSE, prompt="Is it?", key=True, points=1, position=1
    )
    freeze(course)
    return quiz


def right_answers(quiz: Quiz) -> dict[str, Any]:
    """Answers that pass."""
    single, yes_or_no = quiz.questions.all()
    return {str(single.pk): ["a"], str(yes_or_no.pk): True}


def with_assignment(course: Course) -> Assignment:
    """Make the first lesson of the course an assignment, and publish that."""
    lesson = Lesson.objects.filter(module__course=course).order_by("module__position", "position")[0]
    lesson.type = LessonType.ASSIGNMENT
    lesson.save()
    assignment = Assignment.objects.create(lesson=lesson)
    freeze(course)
    return assignment


def with_material(course: Course, *, preview: bool = False) -> Material:
    """Attach a text file to the first lesson of the course, and publish that."""
    lesson = Lesson.objects.filter(module__course=course).order_by("module__position", "position")[0]
    lesson.is_preview = preview
    lesson.save()
    material = loose_material(course, name="notes.txt")
    lesson.materials.add(material)
    freeze(course)
    return material


def loose_material(course: Course, *, name: str) -> Material:
    """A file of the course that no lesson holds."""
    material = Material(course=course, name=name, content_type="text/plain", size=5, sha256="0" * 64)
    material.file.save(name, ContentFile(b"notes"))
    return material
