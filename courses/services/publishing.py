"""Publishing: a draft is checked, frozen, made searchable, and put before learners; or nothing of it happened.

These are the steps of `smartcourse/processes/publishing.py`; each may be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Max

from courses.events import CoursePublished, CoursePublishingFailed
from courses.extraction import TextUnreadable, split_into_chunks, text_of_html, text_of_material
from courses.models import (
    ContentChunk,
    Course,
    CourseStatus,
    Lesson,
    LessonType,
    Material,
    Module,
    Publication,
    PublishedLesson,
)
from courses.rendering import render_content
from courses.services.assessments import frozen_questions
from courses.services.authoring import ADDRESSED, CourseArchivedAlready, lock_course
from courses.services.indexing import index_course
from smartcourse.errors import RuleViolated
from smartcourse.events.outbox import publish
from smartcourse.workflows.models import Run
from smartcourse.workflows.services import start

log = structlog.get_logger(__name__)


class CourseIncomplete(RuleViolated):
    """The draft cannot be published as it stands; the detail names what is missing."""

    code = "course_incomplete"
    message = "The course is not complete."


def request_publication(*, course_id: UUID, by: UUID | None) -> Run:
    """Start publishing the draft, and return the process; the one under way, where there is one.

    A course that learners read already stays PUBLISHED meanwhile, with what they read.

    Raises:
        CourseArchivedAlready: the course is archived.
    """
    with transaction.atomic():
        course = lock_course(course_id)
        if course.status == CourseStatus.DRAFT:
            course.become(CourseStatus.PUBLISHING)
        return start("publishing", subject=course_id, key=str(course_id), requested_by=by)


def validate_course(*, course_id: UUID) -> None:
    """Check that there is something to learn: modules with lessons, and something in every lesson.

    Raises:
        CourseIncomplete: naming each thing that is missing.
    """
    modules = list(
        Module.objects.filter(course=course_id).prefetch_related(
            "lessons__materials", "lessons__quiz__questions"
        )
    )
    missing = [] if modules else ["The course has no module."]
    for module in modules:
        lessons = list(module.lessons.all())
        if not lessons:
            missing.append(f"The module “{module.title}” has no lesson.")
        missing.extend(
            f"The lesson “{lesson.title}” {fault}." for lesson in lessons if (fault := _fault_of(lesson))
        )
    if missing:
        raise CourseIncomplete(" ".join(missing))


def _fault_of(lesson: Lesson) -> str:
    if lesson.type == LessonType.QUIZ:
        return "" if hasattr(lesson, "quiz") and lesson.quiz.questions.all() else "has no quiz with questions"
    if lesson.content.strip() or (lesson.type == LessonType.FILE and lesson.materials.all()):
        return ""
    return "has no file" if lesson.type == LessonType.FILE else "is empty"


def process_content(*, course_id: UUID, by: UUID | None) -> Publication:
    """Freeze the draft as the next publication, not yet read by anybody, and split its text into chunks.

    Raises:
        CourseArchivedAlready: the course was archived meanwhile.
    """
    # Before the lock: reading the files of a course takes its time, and its author works on.
    texts = {material.pk: _text_of(material) for material in Material.objects.filter(course=course_id)}
    with transaction.atomic():
        course = lock_course(course_id)
        course.publications.filter(published_at=None).delete()
        last = course.publications.aggregate(last=Max("number"))["last"] or 0
        publication = Publication.objects.create(
            course=course, number=last + 1, outline=[], published_by_id=by
        )
        modules = list(course.modules.prefetch_related("lessons__quiz__questions"))
        frozen = [
            _freeze(publication, module, lesson) for module in modules for lesson in module.lessons.all()
        ]
        for position, row in enumerate(frozen):
            row.position = position
        PublishedLesson.objects.bulk_create(frozen)
        _attach_materials(frozen)
        publication.keep_outline([_outline_of(module) for module in modules])
        _write_chunks(publication, frozen, texts)
        return publication


def _freeze(publication: Publication, module: Module, lesson: Lesson) -> PublishedLesson:
    return PublishedLesson(
        publication=publication, lesson_id=lesson.pk, module_id=module.pk, title=lesson.title, type=lesson.type,
        content=lesson.content, content_format=lesson.content_format, is_preview=lesson.is_preview,
        estimated_minutes=lesson.estimated_minutes, questions=frozen_questions(lesson),
    )  # fmt: skip


def _attach_materials(frozen: list[PublishedLesson]) -> None:
    by_lesson = {row.lesson_id: row.pk for row in frozen}
    attached = Lesson.materials.through.objects.filter(lesson__in=by_lesson).values_list(
        "lesson_id", "material_id"
    )
    link = PublishedLesson.materials.through
    link.objects.bulk_create(
        link(publishedlesson_id=by_lesson[lesson_id], material_id=material_id)
        for lesson_id, material_id in attached
    )


def _outline_of(module: Module) -> dict[str, Any]:
    lessons = [
        {
            "id": str(lesson.pk),
            "title": lesson.title,
            "type": lesson.type,
            "estimated_minutes": lesson.estimated_minutes,
            "is_preview": lesson.is_preview,
        }
        for lesson in module.lessons.all()
    ]
    return {"id": str(module.pk), "title": module.title, "lessons": lessons}


def _write_chunks(publication: Publication, frozen: list[PublishedLesson], texts: Mapping[UUID, str]) -> None:
    chunks: list[ContentChunk] = []

    def keep(text: str, **source: Any) -> None:
        chunks.extend(
            ContentChunk(publication=publication, position=len(chunks) + n, text=piece, **source)
            for n, piece in enumerate(split_into_chunks(text))
        )

    for row in frozen:
        if row.type not in ADDRESSED:
            keep(text_of_html(render_content(row.content, row.content_format)), lesson_id=row.lesson_id)
    for material in Material.objects.filter(course=publication.course_id):
        # One that was uploaded only just now has not been read yet.
        keep(texts[material.pk] if material.pk in texts else _text_of(material), material=material)
    ContentChunk.objects.bulk_create(chunks)


def _text_of(material: Material) -> str:
    """Return the text of a file; what cannot be read is no reason not to publish."""
    try:
        with material.file.open("rb") as stream:
            return text_of_material(material.content_type, stream)
    except (TextUnreadable, FileNotFoundError) as error:
        log.warning("a material has no readable text", material=str(material.pk), error=str(error))
        return ""


def update_search_index(*, publication_id: UUID) -> None:
    """Make the course findable by the words of this publication.

    Raises:
        CourseArchivedAlready: the course was archived meanwhile.
    """
    with transaction.atomic():
        publication = Publication.objects.get(pk=publication_id)
        index_course(lock_course(publication.course_id), publication)


def restore_search_index(*, course_id: UUID) -> None:
    """Make the course findable by the words of the publication that learners read; archived, not at all."""
    with transaction.atomic():
        course = Course.objects.select_for_update(of=("self",), no_key=True).get(pk=course_id)
        if course.current_publication is None or course.status == CourseStatus.ARCHIVED:
            Course.objects.filter(pk=course_id).update(search_vector=None)
        else:
            index_course(course, course.current_publication)


def mark_published(*, publication_id: UUID, at: datetime) -> Course:
    """Put the publication before learners, and tell it; once it is, nothing changes.

    Raises:
        CourseArchivedAlready: the course was archived meanwhile, and stays so.
    """
    with transaction.atomic():
        course = Course.objects.select_for_update(of=("self",), no_key=True).get(publications=publication_id)
        publication = course.publications.select_for_update(of=("self",)).get(pk=publication_id)
        if publication.published_at is None:
            if course.status == CourseStatus.ARCHIVED:
                raise CourseArchivedAlready
            publication.publish(at=at)
            course.put_forward(publication, at=at)
            publish(
                CoursePublished(
                    course_id=course.pk,
                    instructor_id=course.instructor_id,
                    publication_id=publication.pk,
                    title=course.title,
                )
            )
        return course


def discard_publication(*, course_id: UUID) -> None:
    """Remove what there is of a publication that learners never read, its chunks included."""
    Publication.objects.filter(course=course_id, published_at=None).delete()


def record_publishing_failure(*, course_id: UUID, error: str) -> None:
    """Give the draft back to its author, and tell that publishing failed; a published course stays so."""
    with transaction.atomic():
        course = Course.objects.select_for_update(of=("self",), no_key=True).get(pk=course_id)
        if course.status == CourseStatus.PUBLISHING:
            course.become(CourseStatus.DRAFT)
        publish(
            CoursePublishingFailed(
                course_id=course.pk, instructor_id=course.instructor_id, title=course.title, error=error
            )
        )
