"""Who may write and read courses."""

from __future__ import annotations

from typing import Any

from accounts.policies import can_teach, is_staff
from courses.models import Course


def can_create_courses(user: Any) -> bool:
    """Instructors, staff and administrators."""
    return can_teach(user)


def can_edit_course(user: Any, course: Course) -> bool:
    """Staff, and the course's own instructor for as long as she is one."""
    return is_staff(user) or (can_teach(user) and bool(course.instructor_id == user.pk))
