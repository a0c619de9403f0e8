"""Facts about courses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class CourseCreated(Fact):
    """An author began a course."""

    type: ClassVar[str] = "course.created"
    aggregate: ClassVar[str] = "course"

    course_id: UUID
    instructor_id: UUID
    title: str


@dataclass(frozen=True, kw_only=True)
class CourseUpdated(Fact):
    """The description of a course (not its lessons) was changed."""

    type: ClassVar[str] = "course.updated"
    aggregate: ClassVar[str] = "course"

    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class CoursePublished(Fact):
    """A publication became the one that learners read."""

    type: ClassVar[str] = "course.published"
    aggregate: ClassVar[str] = "course"

    course_id: UUID
    instructor_id: UUID
    publication_id: UUID
    title: str


@dataclass(frozen=True, kw_only=True)
class CoursePublishingFailed(Fact):
    """A publication could not be made, and what there was of it is gone."""

    type: ClassVar[str] = "course.publishing_failed"
    aggregate: ClassVar[str] = "course"

    course_id: UUID
    instructor_id: UUID
    title: str
    error: str


@dataclass(frozen=True, kw_only=True)
class CourseArchived(Fact):
    """A course left the catalogue; its learners keep reading."""

    type: ClassVar[str] = "course.archived"
    aggregate: ClassVar[str] = "course"

    course_id: UUID
    title: str
