"""What other contexts, processes and endpoints may ask of accounts."""

from accounts.services.people import (
    EmailTaken,
    InvalidVerification,
    MailAddress,
    NotOneself,
    WeakPassword,
    WrongPassword,
    change_password,
    deactivate_user,
    grant_role,
    mail_address_of,
    mark_verified,
    reactivate_user,
    record_total_students,
    register_user,
    revoke_role,
    set_password,
    update_instructor_profile,
    update_profile,
    verification_token_for,
    verify_email,
)
from accounts.services.sessions import (
    Device,
    InvalidCredentials,
    SignedInSession,
    TokenRevoked,
    end_all_sessions,
    end_session,
    log_in,
    refresh_session,
)
from accounts.services.tokens import AccessClaims, InvalidToken, TokenExpired, read_access_token

__all__ = [
    "AccessClaims", "Device", "EmailTaken", "InvalidCredentials", "InvalidToken", "InvalidVerification", "MailAddress",
    "NotOneself", "SignedInSession", "TokenExpired", "TokenRevoked", "WeakPassword", "WrongPassword", "change_password",
    "deactivate_user", "end_all_sessions", "end_session", "grant_role", "log_in", "mail_address_of", "mark_verified",
    "reactivate_user", "read_access_token", "record_total_students", "refresh_session", "register_user", "revoke_role",
    "set_password", "update_instructor_profile", "update_profile", "verification_token_for", "verify_email",
]  # fmt: skip
