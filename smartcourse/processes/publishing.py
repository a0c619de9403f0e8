"""Publishing: a draft becomes what learners read, or nothing has happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from courses import services as courses
from smartcourse.workflows.definitions import Step, StepContext, define


def validate_course(context: StepContext) -> None:
    courses.validate_course(course_id=context.subject_id)


def process_content(context: StepContext) -> dict[str, Any]:
    publication = courses.process_content(course_id=context.subject_id, by=context.requested_by_id)
    return {"publication_id": str(publication.pk)}


def discard_publication(context: StepContext) -> None:
    courses.discard_publication(course_id=context.subject_id)


def update_search_index(context: StepContext) -> None:
    courses.update_search_index(publication_id=UUID(context.data["publication_id"]))


def restore_search_index(context: StepContext) -> None:
    courses.restore_search_index(course_id=context.subject_id)


def mark_published(context: StepContext) -> None:
    courses.mark_published(publication_id=UUID(context.data["publication_id"]), at=timezone.now())


def give_the_draft_back(context: StepContext) -> None:
    courses.record_publishing_failure(course_id=context.subject_id, error=context.error)


define(
    "publishing",
    Step("validate_course", validate_course),
    # It reads files for as long as they take, and the database hears nothing meanwhile.
    Step("process_content", process_content, discard_publication, silence=timedelta(minutes=2)),
    Step("update_search_index", update_search_index, restore_search_index),
    Step("mark_published", mark_published),
    failed=give_the_draft_back,
    again=lambda run: courses.request_publication(course_id=run.subject_id, by=run.requested_by_id),
    about="courses.Course",
)
