"""Who may do what with enrollments, as plain predicates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.policies import can_teach, is_staff


def can_enroll(user: Any, *, student_id: UUID) -> bool:
    """Everybody for themselves, staff for others too."""
    return bool(user.pk == student_id) or is_staff(user)


def can_read_rosters(user: Any) -> bool:
    """Whoever teaches or runs the place; of which courses is said by the courses they may edit."""
    return can_teach(user)
