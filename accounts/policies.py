"""What a role lets a person do, as plain predicates; contexts above build theirs on these."""

from __future__ import annotations

from typing import Any

from accounts.models import Role


def is_staff(user: Any) -> bool:
    """Staff and administrators."""
    return bool(user.is_authenticated and user.has_role(Role.STAFF, Role.ADMIN))


def is_administrator(user: Any) -> bool:
    """Administrators only."""
    return bool(user.is_authenticated and user.has_role(Role.ADMIN))


def can_teach(user: Any) -> bool:
    """Instructors, staff and administrators."""
    return bool(user.is_authenticated and user.has_role(Role.INSTRUCTOR, Role.STAFF, Role.ADMIN))


def can_enter_the_admin(user: Any) -> bool:
    """Whoever teaches or runs the place; the rows they see there are another question."""
    return can_teach(user)


def can_change_roles_of(user: Any, other: Any) -> bool:
    """Administrators, of anybody but themselves."""
    return is_administrator(user) and user.pk != other.pk


def can_decide_applications(user: Any) -> bool:
    """Staff and administrators."""
    return is_staff(user)
