"""The course as a learner's progress sees it: modules and lessons of the current publication, by id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from courses.models import Course
from progress.models import LessonStatus


class LessonNode(TypedDict):
    """A lesson in the tree of an enrollment's progress."""

    id: UUID
    title: str
    type: str
    status: str
    completed_at: datetime | None


class ModuleNode(TypedDict):
    """A module in the tree of an enrollment's progress; `percentage` is 0 to 100."""

    id: UUID
    title: str
    percentage: float
    lessons: list[LessonNode]


class ProgressTree(TypedDict):
    """How far an enrollment is, whole and part by part; percentages are 0 to 100."""

    enrollment_id: UUID
    course_id: UUID
    status: str
    percentage: float
    last_accessed_at: datetime | None
    modules: list[ModuleNode]


@dataclass(frozen=True)
class OutlineLesson:
    """A lesson's place in the outline."""

    id: UUID
    title: str
    type: str


@dataclass(frozen=True)
class OutlineModule:
    """A module's place in the outline."""

    id: UUID
    title: str
    lessons: tuple[OutlineLesson, ...]


@dataclass(frozen=True)
class LessonRecord:
    """What is known of a learner's work on a lesson."""

    status: str
    completed_at: datetime | None


Records = dict[UUID, LessonRecord]


@dataclass(frozen=True)
class Outline:
    """The tree that a publication froze."""

    modules: tuple[OutlineModule, ...]

    @property
    def lessons(self) -> list[OutlineLesson]:
        """All lessons, in the order of reading."""
        return [lesson for module in self.modules for lesson in module.lessons]

    def module_of(self, lesson_id: UUID) -> OutlineModule | None:
        """Return the module that holds the lesson, None where the publication has no such lesson."""
        return next((m for m in self.modules if any(lesson.id == lesson_id for lesson in m.lessons)), None)

    def neighbours_of(self, lesson_id: UUID) -> tuple[UUID | None, UUID | None]:
        """Return the ids of the lessons before and after this one."""
        ids = [lesson.id for lesson in self.lessons]
        place = ids.index(lesson_id)
        return (ids[place - 1] if place else None), (ids[place + 1] if place + 1 < len(ids) else None)


def outline_of(course: Course) -> Outline:
    """Return the outline of what learners read now; without a publication, an empty one."""
    publication = course.current_publication
    rows = publication.outline if publication else []
    return Outline(
        tuple(
            OutlineModule(
                UUID(module["id"]),
                module["title"],
                tuple(OutlineLesson(UUID(row["id"]), row["title"], row["type"]) for row in module["lessons"]),
            )
            for module in rows
        )
    )


def share(done: int, total: int) -> float:
    """Return the percentage, rounded to 2 decimals; 100 is reached by nothing less than all."""
    if not total:
        return 0.0
    return 100.0 if done >= total else min(round(done * 100 / total, 2), 99.99)


def is_completed(records: Records, lesson_id: UUID) -> bool:
    """Return whether the learner completed that lesson."""
    record = records.get(lesson_id)
    return record is not None and record.status == LessonStatus.COMPLETED


def share_of(lessons: list[OutlineLesson] | tuple[OutlineLesson, ...], records: Records) -> float:
    """Return the percentage of these lessons that is completed."""
    return share(sum(is_completed(records, lesson.id) for lesson in lessons), len(lessons))


def draw_modules(outline: Outline, records: Records) -> list[ModuleNode]:
    """Return the tree's modules with what is known of every lesson."""
    return [
        ModuleNode(
            id=module.id,
            title=module.title,
            percentage=share_of(module.lessons, records),
            lessons=[_draw_lesson(lesson, records.get(lesson.id)) for lesson in module.lessons],
        )
        for module in outline.modules
    ]


def _draw_lesson(lesson: OutlineLesson, record: LessonRecord | None) -> LessonNode:
    return LessonNode(
        id=lesson.id,
        title=lesson.title,
        type=lesson.type,
        status=record.status if record else LessonStatus.NOT_STARTED,
        completed_at=record.completed_at if record else None,
    )
