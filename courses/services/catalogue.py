"""Reading what is published, and the numbers that contexts above set down for the catalogue."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F

from courses.models import ContentFormat, Course, PublishedLesson
from courses.rendering import render_content
from courses.services.authoring import ADDRESSED
from smartcourse.errors import NotFound


class LessonNotFound(NotFound):
    """No lesson that is published now has this id."""

    message = "There is no such lesson."


def published_lesson(*, lesson_id: UUID) -> PublishedLesson:
    """Return the lesson as the current publication of its course has it, the course fetched along.

    Raises:
        LessonNotFound: it is in no current publication.
    """
    lesson = (
        PublishedLesson.objects.select_related("publication__course")
        .defer("publication__course__search_vector", "publication__course__description", "questions")
        .filter(lesson_id=lesson_id, publication=F("publication__course__current_publication"))
        .first()
    )
    if lesson is None:
        raise LessonNotFound
    return lesson


def published_lessons_of(*, course_id: UUID) -> list[PublishedLesson]:
    """Return the lessons of the course's current publication in order, without their content and questions."""
    return list(
        PublishedLesson.objects.filter(publication__course=course_id)
        .filter(publication=F("publication__course__current_publication"))
        .defer("content", "questions")
        .order_by("position")
    )


def rendered_content(lesson: PublishedLesson) -> str:
    """Return what a learner reads: sanitised HTML, or the address where the lesson is one."""
    if lesson.type in ADDRESSED:
        return lesson.content
    return render_content(lesson.content, lesson.content_format)


def rendered_description(course: Course) -> str:
    """Return the course's description as sanitised HTML."""
    return render_content(course.description, ContentFormat.MARKDOWN)


def record_learner_count(*, course_id: UUID, count: int) -> None:
    """Set down how many learners the course has, as enrollments counted them."""
    Course.objects.filter(pk=course_id).update(learner_count=count)


def record_rating(*, course_id: UUID, average: float | None, count: int) -> None:
    """Set down how the course is rated, as enrollments counted it."""
    Course.objects.filter(pk=course_id).update(rating_average=average, rating_count=count)
