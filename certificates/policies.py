"""Who may do what with certificates, as plain predicates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.policies import is_staff


def can_open(user: Any, *, student_id: UUID) -> bool:
    """Whose it is, and staff; the course's instructor sees it in the list, and the document is the learner's."""
    return bool(user.pk == student_id) or is_staff(user)
