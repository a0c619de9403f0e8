"""The tables of the courses context."""

from courses.models.assessments import Assignment, Question, QuestionKind, Quiz
from courses.models.authoring import (
    LANGUAGE_TAG,
    Category,
    ContentFormat,
    Course,
    CourseLevel,
    CourseSeats,
    CourseStatus,
    Lesson,
    LessonType,
    Material,
    Module,
)
from courses.models.publications import ContentChunk, Publication, PublishedLesson

__all__ = [
    "LANGUAGE_TAG", "Assignment", "Category", "ContentChunk", "ContentFormat", "Course", "CourseLevel", "CourseSeats",
    "CourseStatus", "Lesson", "LessonType", "Material", "Module", "Publication", "PublishedLesson", "Question",
    "QuestionKind", "Quiz",
]  # fmt: skip
