"""Courses for tests."""

from __future__ import annotations

from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.tests.factories import UserFactory
from courses.models import (
    Category,
    Course,
    CourseSeats,
    CourseStatus,
    Lesson,
    LessonType,
    Module,
    Publication,
    PublishedLesson,
)
from courses.services.assessments import frozen_questions


class CategoryFactory(DjangoModelFactory[Category]):
    class Meta:
        model = Category

    name = factory.Sequence(lambda n: f"Category {n}")
    slug = factory.Sequence(lambda n: f"category-{n}")


class CourseFactory(DjangoModelFactory[Course]):
    """A draft, or with `published=True` a published course; `lessons=3` text lessons in `modules=1` modules.

    `capacity=2` limits its seats.
    """

    class Meta:
        model = Course

    title = factory.Sequence(lambda n: f"Course {n}")
    slug = factory.Sequence(lambda n: f"course-{n}")
    summary = "What it is about."
    description = "What it is **really** about."
    instructor = factory.SubFactory(UserFactory, role="instructor")

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Course:
        published = kwargs.pop("published", False)
        lessons, modules = kwargs.pop("lessons", 3), kwargs.pop("modules", 1)
        capacity = kwargs.pop("capacity", None)
        course: Course = super()._create(model_class, *args, **kwargs)
        CourseSeats.objects.create(course=course, capacity=capacity)
        for m in range(modules):
            module = Module.objects.create(course=course, title=f"Module {m + 1}", position=m)
            for n in range(lessons):
                LessonFactory(module=module, title=f"Lesson {m + 1}.{n + 1}", position=n)
        if published:
            freeze(course)
        return course


class LessonFactory(DjangoModelFactory[Lesson]):
    class Meta:
        model = Lesson

    title = factory.Sequence(lambda n: f"Lesson {n}")
    type = LessonType.TEXT
    content = "Some *text* to read."
    position = 0


def freeze(course: Course) -> Publication:
    """Publish the course as it stands, as the publishing process would."""
    number = course.publications.count() + 1
    publication = Publication.objects.create(
        course=course, number=number, outline=[], published_at=timezone.now()
    )
    outline, position = [], 0
    for module in course.modules.prefetch_related("lessons__materials"):
        rows = []
        for lesson in module.lessons.all():
            frozen = PublishedLesson.objects.create(
                publication=publication, lesson_id=lesson.pk, module_id=module.pk, position=position,
                title=lesson.title, type=lesson.type, content=lesson.content, content_format=lesson.content_format,
                is_preview=lesson.is_preview, estimated_minutes=lesson.estimated_minutes,
                questions=frozen_questions(lesson),
            )  # fmt: skip
            if materials := lesson.materials.all():
                frozen.materials.set(materials)
            position += 1
            rows.append({
                "id": str(lesson.pk), "title": lesson.title, "type": lesson.type,
                "estimated_minutes": lesson.estimated_minutes, "is_preview": lesson.is_preview,
            })  # fmt: skip
        outline.append({"id": str(module.pk), "title": module.title, "lessons": rows})
    publication.outline = outline
    publication.save()
    course.current_publication = publication
    course.status = CourseStatus.PUBLISHED
    course.published_at = timezone.now()
    course.save()
    return publication
