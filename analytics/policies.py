"""Who may see which numbers."""

from __future__ import annotations

from typing import Any

from accounts.policies import is_staff
from courses.models import Course


def can_see_platform_numbers(user: Any) -> bool:
    """Staff and administrators."""
    return is_staff(user)


def can_see_course_numbers(user: Any, course: Course) -> bool:
    """Staff, and the course's own instructor."""
    return is_staff(user) or bool(course.instructor_id == user.pk)
