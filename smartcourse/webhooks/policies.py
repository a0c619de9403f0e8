"""Who may be told what: a person hears what is about that person, or about a course that she teaches."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from accounts.events import UserErased
from accounts.models import Role, User
from accounts.policies import is_staff
from courses.models import Course
from enrollments.models import Enrollment
from smartcourse.events.facts import Fact, all_facts

# Whoever a fact names by one of these is whom it is about.
PEOPLE = ("user_id", "student_id", "recipient_id", "requester_id", "owner_id")
# In these families, whoever teaches the course may hear what happens in it; she may read the same elsewhere.
OF_COURSES = ("course.", "enrollment.", "progress.", "certificate.", "grade.")
COURSES = ("course_id", "enrollment_id", "instructor_id")


def can_keep_platform_endpoints(user: Any) -> bool:
    """Staff and administrators."""
    return is_staff(user)


def can_be_heard(fact: type[Fact]) -> bool:
    """Whether facts of this type can be about a person at all; what is not known to be is for the platform only."""
    fields = {field.name for field in dataclasses.fields(fact)}
    return bool(fields.intersection(PEOPLE) or (_is_of_courses(fact.type) and fields.intersection(COURSES)))


def types_for(*, platform: bool) -> dict[str, type[Fact]]:
    """Return what an endpoint may choose from: everything for the platform's, else what can be about a person."""
    # What is only planned may still change before anybody hears it.
    known = sorted((name, fact) for name, fact in all_facts().items() if not fact.planned)
    return {name: fact for name, fact in known if platform or can_be_heard(fact)}


def who_may_hear(fact: Fact) -> set[UUID]:
    """Return the people who may be told of the fact; nobody, where it says nothing that would let anybody."""
    people: set[UUID] = {who for name in PEOPLE if (who := getattr(fact, name, None))}
    if _is_of_courses(fact.type):
        people |= _teachers_concerned(fact)
    if isinstance(fact, UserErased):
        people |= _teachers_who_were_told_of(fact.user_id)
    return people


def _teachers_who_were_told_of(user_id: UUID) -> set[UUID]:
    """Return whose endpoints may have heard of a learner, and are to forget them too."""
    taught = Enrollment.objects.filter(student=user_id).values_list("course__instructor_id", flat=True)
    return _who_still_teach(set(taught))


def _is_of_courses(fact_type: str) -> bool:
    return fact_type.startswith(OF_COURSES)


def _teachers_concerned(fact: Fact) -> set[UUID]:
    """Return who teaches the course that the fact is about, by what the database says today."""
    course_id, enrollment_id = getattr(fact, "course_id", None), getattr(fact, "enrollment_id", None)
    named: set[UUID] = {who} if (who := getattr(fact, "instructor_id", None)) else set()
    if course_id:
        named.update(Course.objects.filter(pk=course_id).values_list("instructor_id", flat=True))
    elif enrollment_id:
        taught = Enrollment.objects.filter(pk=enrollment_id)
        named.update(taught.values_list("course__instructor_id", flat=True))
    return _who_still_teach(named)


def _who_still_teach(named: set[UUID]) -> set[UUID]:
    # Who is no instructor any more has no say over the courses she once taught.
    teaching = User.objects.active().with_role(Role.INSTRUCTOR).filter(pk__in=named)
    return set(teaching.values_list("pk", flat=True))
