"""Facts about learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class ProgressUpdated(Fact):
    """A learner finished a lesson; `percentage` (0 to 100) is of the whole course."""

    type: ClassVar[str] = "progress.updated"
    aggregate: ClassVar[str] = "enrollment"

    enrollment_id: UUID
    student_id: UUID
    course_id: UUID
    lesson_id: UUID
    percentage: float


@dataclass(frozen=True, kw_only=True)
class ModuleCompleted(Fact):
    """A learner finished the last lesson of a module."""

    type: ClassVar[str] = "progress.module_completed"
    aggregate: ClassVar[str] = "enrollment"

    enrollment_id: UUID
    student_id: UUID
    course_id: UUID
    module_id: UUID
    module_title: str
    course_title: str


@dataclass(frozen=True, kw_only=True)
class GradePosted(Fact):
    """A learner may see a grade, new or changed, of a quiz or an assignment: `percentage` of what could be had."""

    type: ClassVar[str] = "grade.posted"
    aggregate: ClassVar[str] = "enrollment"
    planned: ClassVar[bool] = True

    enrollment_id: UUID
    student_id: UUID
    course_id: UUID
    lesson_id: UUID
    percentage: float
