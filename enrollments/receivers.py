"""What enrollments do when something happened."""

from __future__ import annotations

from enrollments import services
from enrollments.events import EnrollmentActivated, EnrollmentDropped
from smartcourse.events.subscriptions import subscribe


@subscribe(EnrollmentActivated)
def recount_on_activation(fact: EnrollmentActivated) -> None:
    services.recount_learners(course_id=fact.course_id)


@subscribe(EnrollmentDropped)
def recount_on_drop(fact: EnrollmentDropped) -> None:
    services.recount_learners(course_id=fact.course_id)
