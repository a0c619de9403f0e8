"""Writing courses: drafts, their modules and lessons, and the order of it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.text import slugify

from courses.events import CourseArchived, CourseCreated, CourseUpdated
from courses.models import (
    Assignment,
    Category,
    ContentFormat,
    Course,
    CourseLevel,
    CourseSeats,
    CourseStatus,
    Lesson,
    LessonType,
    Module,
)
from courses.services.seats import change_capacity
from smartcourse.errors import Conflict, FieldError, Invalid
from smartcourse.events.outbox import publish

# The content of these is an address, not a text.
ADDRESSED = (LessonType.LINK, LessonType.VIDEO, LessonType.EMBED)


class SlugTaken(Conflict):
    """Another course has this slug."""

    code = "duplicate"
    message = "Another course has this slug."


class CourseArchivedAlready(Conflict):
    """An archived course is not edited or published any more."""

    message = "This course is archived."


class LessonContentInvalid(Invalid):
    """The content is not of the form that the type of lesson wants."""

    message = "The content does not fit the type of the lesson."


class OrderInvalid(Invalid):
    """The order does not name everything that there is, once."""

    message = "The order must name every module and every lesson of the course exactly once."


def create_course(
    *,
    instructor: Any,
    title: str,
    slug: str | None = None,
    summary: str = "",
    description: str = "",
    goals: Sequence[str] = (),
    category: Category | None = None,
    level: str = CourseLevel.BEGINNER,
    language: str = "en",
    price_cents: int = 0,
    currency: str = "EUR",
    capacity: int | None = None,
) -> Course:
    """Begin a course as a draft; without a slug, one is made from the title, with a suffix where it is taken.

    Raises:
        SlugTaken: the slug that was asked for is another course's.
    """
    try:
        with transaction.atomic():
            course = Course.objects.create(
                instructor=instructor, title=title, slug=slug or _free_slug(title), summary=summary,
                description=description, goals=list(goals), category=category, level=level, language=language,
                price_cents=price_cents, currency=currency,
            )  # fmt: skip
            CourseSeats.objects.create(course=course, capacity=capacity)
            publish(CourseCreated(course_id=course.pk, instructor_id=instructor.pk, title=title))
    except IntegrityError as error:
        raise SlugTaken from error
    return course


def _free_slug(title: str) -> str:
    """Return a slug that no course has: the title's own, or that with the first number that is free."""
    own = slugify(title, allow_unicode=True)[:110].strip("-") or "course"
    taken = set(Course.objects.filter(slug__startswith=own).values_list("slug", flat=True))
    if own not in taken:
        return own
    return next(slug for n in range(2, len(taken) + 3) if (slug := f"{own}-{n}") not in taken)


def update_course(*, course_id: UUID, changes: Mapping[str, Any]) -> Course:
    """Change the description of a course: any of its texts, its category, level, language, price, slug, capacity.

    Raises:
        SlugTaken: another course has the slug.
        CapacityBelowTaken: more are enrolled than the capacity would hold.
        CourseArchivedAlready: the course is archived.
    """
    fields = {name: value for name, value in changes.items() if name != "capacity"}
    try:
        with transaction.atomic():
            course = _locked(course_id)
            if "capacity" in changes:
                change_capacity(course_id=course_id, capacity=changes["capacity"])
            if fields:
                course.describe(**fields)
            publish(CourseUpdated(course_id=course_id))
    except IntegrityError as error:
        raise SlugTaken from error
    return course


def _locked(course_id: UUID) -> Course:
    """Lock the course against other edits and return it.

    Raises:
        CourseArchivedAlready: it is archived.
    """
    course = Course.objects.select_for_update(of=("self",)).get(pk=course_id)
    if course.status == CourseStatus.ARCHIVED:
        raise CourseArchivedAlready
    return course


def archive_course(*, course_id: UUID) -> Course:
    """Take the course out of the catalogue; its learners keep reading. A second time changes nothing."""
    with transaction.atomic():
        course = Course.objects.select_for_update(of=("self",)).get(pk=course_id)
        if course.status != CourseStatus.ARCHIVED:
            course.archive(at=timezone.now())
            publish(CourseArchived(course_id=course_id, title=course.title))
        return course


def add_module(*, course_id: UUID, title: str) -> Module:
    """Add a module at the end of the course.

    Raises:
        CourseArchivedAlready: the course is archived.
    """
    with transaction.atomic():
        _locked(course_id)
        last = Module.objects.filter(course=course_id).aggregate(last=Max("position"))["last"]
        return Module.objects.create(
            course_id=course_id, title=title, position=0 if last is None else last + 1
        )


def update_module(*, module_id: UUID, title: str) -> Module:
    """Call a module something else."""
    with transaction.atomic():
        module = Module.objects.select_for_update(of=("self",)).get(pk=module_id)
        _locked(module.course_id)
        module.rename(title)
        return module


def delete_module(*, module_id: UUID) -> None:
    """Take a module and its lessons out of the draft; what is published stays until the next publication."""
    with transaction.atomic():
        module = Module.objects.get(pk=module_id)
        _locked(module.course_id)
        module.delete()


def add_lesson(
    *,
    module_id: UUID,
    title: str,
    type: str = LessonType.TEXT,  # noqa: A002 - the lesson's own word
    content: str = "",
    content_format: str = ContentFormat.MARKDOWN,
    is_preview: bool = False,
    estimated_minutes: int = 5,
    instructor_notes: str = "",
    points: int | None = None,
) -> Lesson:
    """Add a lesson at the end of the module; an assignment gets its definition, of so many points, along with it.

    Raises:
        LessonContentInvalid: a link, video or embed whose content is no http(s) address.
        CourseArchivedAlready: the course is archived.
    """
    _check_content(type, content)
    with transaction.atomic():
        module = Module.objects.get(pk=module_id)
        _locked(module.course_id)
        last = Lesson.objects.filter(module=module_id).aggregate(last=Max("position"))["last"]
        lesson = Lesson.objects.create(
            module=module, title=title, type=type, content=content, content_format=content_format,
            is_preview=is_preview, estimated_minutes=estimated_minutes, instructor_notes=instructor_notes,
            position=0 if last is None else last + 1,
        )  # fmt: skip
        if type == LessonType.ASSIGNMENT:
            Assignment.objects.create(lesson=lesson, points=points or 100)
        return lesson


def update_lesson(*, lesson_id: UUID, changes: Mapping[str, Any]) -> Lesson:
    """Change the draft of a lesson; learners go on reading what was published.

    Raises:
        LessonContentInvalid: a link, video or embed whose content is no http(s) address.
        CourseArchivedAlready: the course is archived.
    """
    with transaction.atomic():
        lesson = Lesson.objects.select_for_update(of=("self",)).select_related("module").get(pk=lesson_id)
        _locked(lesson.module.course_id)
        _check_content(changes.get("type", lesson.type), changes.get("content", lesson.content))
        lesson.rewrite(**changes)
        if lesson.type == LessonType.ASSIGNMENT:
            Assignment.objects.get_or_create(lesson=lesson)
        return lesson


def delete_lesson(*, lesson_id: UUID) -> None:
    """Take a lesson out of the draft; what is published, and what learners did with it, stays."""
    with transaction.atomic():
        lesson = Lesson.objects.select_related("module").get(pk=lesson_id)
        _locked(lesson.module.course_id)
        lesson.delete()


def _check_content(kind: str, content: str) -> None:
    if kind not in ADDRESSED or not content:
        # An empty lesson may be saved; it may not be published.
        return
    parts = urlsplit(content.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        row = FieldError("content", "invalid_url", f"A lesson of type {kind} wants an http or https address.")
        raise LessonContentInvalid(errors=[row])


def reorder_course(*, course_id: UUID, order: Sequence[tuple[UUID, Sequence[UUID]]]) -> None:
    """Put modules, and lessons in them, in this order; lessons may move between modules of the course.

    Raises:
        OrderInvalid: something is missing, foreign, or named twice.
        CourseArchivedAlready: the course is archived.
    """
    with transaction.atomic():
        _locked(course_id)
        modules = {m.pk: m for m in Module.objects.filter(course=course_id)}
        lessons = {lesson.pk: lesson for lesson in Lesson.objects.filter(module__course=course_id)}
        named_modules = [module_id for module_id, _ in order]
        named_lessons = [lesson_id for _, inside in order for lesson_id in inside]
        if sorted(named_modules) != sorted(modules) or sorted(named_lessons) != sorted(lessons):
            raise OrderInvalid
        for position, (module_id, inside) in enumerate(order):
            modules[module_id].position = position
            for place, lesson_id in enumerate(inside):
                lessons[lesson_id].position, lessons[lesson_id].module_id = place, module_id
        Module.objects.bulk_update(modules.values(), ["position"])
        Lesson.objects.bulk_update(lessons.values(), ["position", "module_id"])
