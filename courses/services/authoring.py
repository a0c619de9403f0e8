"""Writing courses: drafts, their modules and lessons, and the order of it all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.text import slugify
from psycopg import Error as PostgresError

from courses.events import CourseCreated, CourseUpdated
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
    PublishedLesson,
    Quiz,
)
from courses.services.indexing import INDEXED, index_course
from courses.services.seats import change_capacity
from smartcourse.errors import Conflict, FieldError, NotFound, Unacceptable
from smartcourse.events.outbox import publish

# The content of these is an address, not a text.
ADDRESSED = (LessonType.LINK, LessonType.VIDEO, LessonType.EMBED)
# How often a slug of our own making is made anew, where somebody else takes it in the same moment.
SLUG_ATTEMPTS = 5


class SlugTaken(Conflict):
    """Another course has this slug."""

    code = "duplicate"
    message = "Another course has this slug."


class CategoryUnknown(Unacceptable):
    """No category has this slug."""

    message = "There is no such category."


class CourseArchivedAlready(Conflict):
    """An archived course is not edited or published any more."""

    message = "This course is archived."


class DraftNotFound(NotFound):
    """The module or lesson is not in the draft (any more)."""

    message = "There is no such module or lesson in the draft."


class LessonContentInvalid(Unacceptable):
    """The content is not of the form that the type of lesson wants."""

    message = "The content does not fit the type of the lesson."


class OrderInvalid(Unacceptable):
    """The order does not name everything that there is, once."""

    message = "The order must name every module and every lesson of the course exactly once."


def category_of(*, slug: str) -> Category:
    """Return the category of that slug.

    Raises:
        CategoryUnknown: there is none.
    """
    category = Category.objects.filter(slug=slug).first()
    if category is None:
        raise CategoryUnknown(errors=[FieldError("category", "does_not_exist", CategoryUnknown.message)])
    return category


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
    for _ in range(SLUG_ATTEMPTS):
        try:
            with transaction.atomic():
                course = Course.objects.create(
                    instructor=instructor, title=title, slug=slug or _free_slug(title), summary=summary,
                    description=description, goals=list(goals), category=category, level=level, language=language,
                    price_cents=price_cents, currency=currency,
                )  # fmt: skip
                CourseSeats.objects.create(course=course, capacity=capacity)
                publish(CourseCreated(course_id=course.pk, instructor_id=instructor.pk, title=title))
                return course
        except IntegrityError as error:
            _refuse_unless_slug_is_free_to_change(error, asked_for=bool(slug))
    raise SlugTaken


def _refuse_unless_slug_is_free_to_change(error: IntegrityError, *, asked_for: bool) -> None:
    """Raise `SlugTaken` for a taken slug that was asked for, and the error itself where it is about another thing.

    A slug of our own making that somebody took a moment ago is no reason to refuse: another one is made.
    """
    cause = error.__cause__
    if not isinstance(cause, PostgresError) or cause.diag.constraint_name != "one_course_per_slug":
        raise error
    if asked_for:
        raise SlugTaken from error


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
            course = lock_course(course_id)
            if "capacity" in changes:
                change_capacity(course_id=course_id, capacity=changes["capacity"])
            if fields:
                course.describe(**fields)
            if INDEXED & set(fields):
                index_course(course)
            if changes:
                publish(CourseUpdated(course_id=course_id))
    except IntegrityError as error:
        _refuse_unless_slug_is_free_to_change(error, asked_for=True)
    return course


def lock_course(course_id: UUID) -> Course:
    """Lock the course against other edits, in the open transaction, and return it.

    Whatever changes a draft locks its course first, and rows of it afterwards, so that no two edits wait for each
    other. Nobody who enrolls waits for an edit: the lock lets rows be written that refer to the course.

    Raises:
        CourseArchivedAlready: it is archived.
    """
    course = Course.objects.select_for_update(of=("self",), no_key=True).get(pk=course_id)
    if course.status == CourseStatus.ARCHIVED:
        raise CourseArchivedAlready
    return course


def lock_module(module_id: UUID) -> Module:
    """Lock the course of the module, and return the module.

    Raises:
        DraftNotFound: it is not there, or was removed while we waited.
        CourseArchivedAlready: its course is archived.
    """
    _lock_course_with(modules=module_id)
    module = Module.objects.filter(pk=module_id).first()
    if module is None:
        raise DraftNotFound
    return module


def lock_lesson(lesson_id: UUID) -> Lesson:
    """Lock the course of the lesson, and return the lesson with its module.

    Raises:
        DraftNotFound: it is not there, or was removed while we waited.
        CourseArchivedAlready: its course is archived.
    """
    _lock_course_with(modules__lessons=lesson_id)
    lesson = Lesson.objects.select_related("module").filter(pk=lesson_id).first()
    if lesson is None:
        raise DraftNotFound
    return lesson


def _lock_course_with(**row: UUID) -> None:
    course_id = Course.objects.filter(**row).values_list("pk", flat=True).first()
    if course_id is None:
        raise DraftNotFound
    lock_course(course_id)


def add_module(*, course_id: UUID, title: str) -> Module:
    """Add a module at the end of the course.

    Raises:
        CourseArchivedAlready: the course is archived.
    """
    with transaction.atomic():
        lock_course(course_id)
        last = Module.objects.filter(course=course_id).aggregate(last=Max("position"))["last"]
        return Module.objects.create(
            course_id=course_id, title=title, position=0 if last is None else last + 1
        )


def update_module(*, module_id: UUID, title: str) -> Module:
    """Call a module something else.

    Raises:
        DraftNotFound: there is none.
        CourseArchivedAlready: the course is archived.
    """
    with transaction.atomic():
        module = lock_module(module_id)
        module.rename(title)
        return module


def delete_module(*, module_id: UUID) -> None:
    """Take a module and its lessons out of the draft; what is published stays until the next publication.

    Raises:
        DraftNotFound: there is none.
        CourseArchivedAlready: the course is archived.
    """
    with transaction.atomic():
        module = lock_module(module_id)
        _forget_assessments(module.lessons.values_list("pk", flat=True))
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
        DraftNotFound: there is no such module.
        CourseArchivedAlready: the course is archived.
    """
    _check_content(type, content)
    with transaction.atomic():
        module = lock_module(module_id)
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
        DraftNotFound: there is no such lesson.
        CourseArchivedAlready: the course is archived.
    """
    with transaction.atomic():
        lesson = lock_lesson(lesson_id)
        _check_content(changes.get("type", lesson.type), changes.get("content", lesson.content))
        lesson.rewrite(**changes)
        if lesson.type == LessonType.ASSIGNMENT:
            Assignment.objects.get_or_create(lesson=lesson)
        return lesson


def delete_lesson(*, lesson_id: UUID) -> None:
    """Take a lesson out of the draft; what is published, and what learners did with it, stays.

    Raises:
        DraftNotFound: there is none.
        CourseArchivedAlready: the course is archived.
    """
    with transaction.atomic():
        lesson = lock_lesson(lesson_id)
        _forget_assessments([lesson.pk])
        lesson.delete()


def _forget_assessments(lesson_ids: Iterable[UUID]) -> None:
    """Delete the quizzes and assignments of these lessons that no publication ever had.

    The others outlive the draft, as their published lessons do: learners take them, and have their results by them.
    """
    ids = set(lesson_ids)
    ids -= set(PublishedLesson.objects.filter(lesson_id__in=ids).values_list("lesson_id", flat=True))
    for definition in (Quiz, Assignment):
        definition.objects.filter(lesson_id__in=ids).delete()


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
        lock_course(course_id)
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
