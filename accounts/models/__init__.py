"""People, the roles they have, and the devices they are signed in on."""

from accounts.models.lockout import SignInAttempts
from accounts.models.people import (
    InstructorProfile,
    Role,
    User,
    UserManager,
    UserQuerySet,
    normalise_email,
    validate_name,
)
from accounts.models.sessions import RefreshToken, Session, SessionQuerySet

__all__ = [
    "InstructorProfile", "RefreshToken", "Role", "Session", "SessionQuerySet", "SignInAttempts", "User", "UserManager",
    "UserQuerySet", "normalise_email", "validate_name",
]  # fmt: skip
