"""Who may read what of the classroom, as plain predicates."""

from __future__ import annotations

from typing import Any

from accounts.policies import can_teach, is_staff
from courses.models import Course
from courses.policies import can_edit_course


def can_read_classroom(user: Any, course: Course) -> bool:
    """The course's instructor and staff, without being enrolled; they read what learners did there, too."""
    return bool(user.is_authenticated) and can_edit_course(user, course)


def is_kept_in_the_dark(user: Any, course: Course) -> bool:
    """Whoever teaches other courses: to them this one's assessments do not exist."""
    return can_teach(user) and not can_read_classroom(user, course)


def can_recompute_progress(user: Any) -> bool:
    """Staff."""
    return is_staff(user)
