"""People, the roles they have, and the devices they are signed in on."""

from accounts.models.api_keys import ApiKey, ApiKeyQuerySet, ApiKeyScope
from accounts.models.applications import (
    ApplicationStatus,
    InstructorApplication,
    InstructorApplicationQuerySet,
)
from accounts.models.lockout import SignInAttempts
from accounts.models.people import (
    InstructorProfile,
    Role,
    User,
    UserManager,
    UserQuerySet,
    normalise_email,
    validate_address,
    validate_name,
)
from accounts.models.privacy import (
    PrivacyRequest,
    PrivacyRequestKind,
    PrivacyRequestQuerySet,
    PrivacyRequestStatus,
)
from accounts.models.recovery import (
    EmailChange,
    EmailChangeQuerySet,
    MailRequest,
    MailRequestQuerySet,
    MailWanted,
)
from accounts.models.second_factors import (
    FACTORS,
    MailedCode,
    Method,
    RecoveryCode,
    RecoveryCodeQuerySet,
    SecondFactor,
    SecondFactorQuerySet,
    SignInChallenge,
    SignInChallengeQuerySet,
)
from accounts.models.sessions import RefreshToken, Session, SessionQuerySet

__all__ = [
    "FACTORS",
    "ApiKey",
    "ApiKeyQuerySet",
    "ApiKeyScope",
    "ApplicationStatus",
    "EmailChange",
    "EmailChangeQuerySet",
    "InstructorApplication",
    "InstructorApplicationQuerySet",
    "InstructorProfile",
    "MailRequest",
    "MailRequestQuerySet",
    "MailWanted",
    "MailedCode",
    "Method",
    "PrivacyRequest",
    "PrivacyRequestKind",
    "PrivacyRequestQuerySet",
    "PrivacyRequestStatus",
    "RecoveryCode",
    "RecoveryCodeQuerySet",
    "RefreshToken",
    "Role",
    "SecondFactor",
    "SecondFactorQuerySet",
    "Session",
    "SessionQuerySet",
    "SignInAttempts",
    "SignInChallenge",
    "SignInChallengeQuerySet",
    "User",
    "UserManager",
    "UserQuerySet",
    "normalise_email",
    "validate_address",
    "validate_name",
]  # fmt: skip
