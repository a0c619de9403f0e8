"""Facts about people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class UserRegistered(Fact):
    """Somebody made an account."""

    type: ClassVar[str] = "user.registered"
    aggregate: ClassVar[str] = "user"

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserVerified(Fact):
    """Somebody showed that the e-mail address is theirs."""

    type: ClassVar[str] = "user.verified"
    aggregate: ClassVar[str] = "user"

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserRoleChanged(Fact):
    """Somebody was given a role, or lost one."""

    type: ClassVar[str] = "user.role_changed"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    role: str
    granted: bool


@dataclass(frozen=True, kw_only=True)
class UserPasswordResetRequested(Fact):
    """Somebody asked for a way to a new password for this account; the way itself is in the mail alone."""

    type: ClassVar[str] = "user.password_reset_requested"
    aggregate: ClassVar[str] = "user"

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserVerificationRequested(Fact):
    """Somebody asked for the link that confirms the address once more."""

    type: ClassVar[str] = "user.verification_requested"
    aggregate: ClassVar[str] = "user"

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserEmailChangeRequested(Fact):
    """Somebody would rather have another address; neither of the two is told here."""

    type: ClassVar[str] = "user.email_change_requested"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    change_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserEmailChanged(Fact):
    """Somebody has another address now, and has shown that it is theirs."""

    type: ClassVar[str] = "user.email_changed"
    aggregate: ClassVar[str] = "user"

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserInstructorApplied(Fact):
    """Somebody asks to be let teach."""

    type: ClassVar[str] = "user.instructor_applied"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    application_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserInstructorApproved(Fact):
    """Staff let somebody teach who had asked for it."""

    type: ClassVar[str] = "user.instructor_approved"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    application_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserInstructorRejected(Fact):
    """Staff said no to somebody who had asked to be let teach; why is not told here."""

    type: ClassVar[str] = "user.instructor_rejected"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    application_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserExportPrepared(Fact):
    """The copy of all that is held on somebody, which they had asked for, can be had."""

    type: ClassVar[str] = "user.export_prepared"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    request_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserErasureRequested(Fact):
    """Somebody asked to be erased, and may think again until then."""

    type: ClassVar[str] = "user.erasure_requested"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    request_id: UUID
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class UserErased(Fact):
    """Nobody is behind this id any more; whoever keeps something of the person is to forget it too."""

    type: ClassVar[str] = "user.erased"
    aggregate: ClassVar[str] = "user"

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserMfaEnabled(Fact):
    """Somebody proves more than a password from now on: by an authenticator app (`totp`), or by mail (`email`)."""

    type: ClassVar[str] = "user.mfa_enabled"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    method: str


@dataclass(frozen=True, kw_only=True)
class UserMfaDisabled(Fact):
    """A second factor was taken away, by its owner or by staff."""

    type: ClassVar[str] = "user.mfa_disabled"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    method: str
    by_staff: bool


@dataclass(frozen=True, kw_only=True)
class UserSignInCodeRequested(Fact):
    """Somebody who gave the right password wants a code mailed; the code is in the mail alone."""

    type: ClassVar[str] = "user.sign_in_code_requested"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    mailing_id: UUID
