"""What enrollments holds of a person: that somebody learned here stays counted; who it was, and why they left, goes."""

from __future__ import annotations

from datetime import datetime

from enrollments import services
from smartcourse.db.personal import Holding, Person, declare

COUNTED = "that somebody was in the course, when, and how far: it is counted, and leads to nobody"
ANOTHERS = "of another learner, whose record it is"
NAMELESS = "leads to a row in which nobody is any more"
OURS = "how we keep the row, and nothing about the person"


def give_the_seats_back(person: Person, at: datetime) -> None:
    services.drop_enrollments_of(student_id=person.id, reason="The account was erased.", at=at)


declare(
    "enrollments",
    Holding(
        model="enrollments.Enrollment",
        person="student",
        told=(
            "id",
            "student",
            "course",
            "course__title",
            "status",
            "percentage",
            "started_at",
            "completed_at",
            "ended_at",
            "created_at",
            "updated_at",
        ),
        untold={"workflow_id": OURS},
        kept={"student": NAMELESS} | dict.fromkeys(("course", "status", "workflow_id"), COUNTED),
    ),
    Holding(
        model="enrollments.EnrollmentChange",
        person="enrollment__student",
        told=("id", "enrollment", "from_status", "to_status", "reason", "at"),
        untold={"by": "who of staff it was, where it was not the learner"},
        erased={"reason": ""},
        kept=dict.fromkeys(("enrollment", "from_status", "to_status"), COUNTED),
    ),
    Holding(
        model="enrollments.EnrollmentChange",
        person="by",
        called="changes_made",
        told=("id", "enrollment", "from_status", "to_status", "reason", "at"),
        kept={"by": NAMELESS} | dict.fromkeys(("reason", "from_status", "to_status"), ANOTHERS),
    ),
    erase=give_the_seats_back,
)
