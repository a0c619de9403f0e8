"""What progress does when something happened."""

from __future__ import annotations

from courses.events import CoursePublished
from progress import services
from smartcourse.events.subscriptions import subscribe


@subscribe(CoursePublished, queue="progress")
def complete_where_nothing_is_left(fact: CoursePublished) -> None:
    services.complete_where_nothing_is_left(course_id=fact.course_id, at=fact.occurred_at)
