"""What other contexts, processes and endpoints may ask of accounts."""

from accounts.services.api_keys import (
    BadExpiry,
    MadeApiKey,
    TooManyApiKeys,
    authenticate_api_key,
    create_api_key,
    revoke_api_key,
    revoke_api_keys_of,
)
from accounts.services.email_changes import (
    InvalidEmailChange,
    NoEmailChange,
    SameEmail,
    TooManyEmailChanges,
    confirm_email_change,
    email_change_token_for,
    former_address_of,
    may_be_confirmed,
    new_address_of,
    request_email_change,
)
from accounts.services.lockout import (
    SIGNED_IN,
    LockedOut,
    Place,
    TooManyAttempts,
    begin_attempt,
    device_proof,
    forget_places,
    locked_places,
    place_of,
    prune_attempts,
    unlock,
    unlock_account,
)
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
from accounts.services.recovery import (
    InvalidReset,
    answer_mail_request,
    check_password_reset,
    password_reset_token_for,
    request_password_reset,
    request_verification,
    reset_password,
    sweep_mail_requests,
)
from accounts.services.sessions import (
    Device,
    InvalidCredentials,
    SignedInSession,
    TokenRevoked,
    end_all_sessions,
    end_session,
    log_in,
    prune_sessions,
    refresh_session,
)
from accounts.services.standing import doubt_user, session_behind, tell_the_cache
from accounts.services.tokens import AccessClaims, InvalidToken, TokenExpired, read_access_token

__all__ = [
    "SIGNED_IN", "AccessClaims", "BadExpiry", "Device", "EmailTaken", "InvalidCredentials", "InvalidEmailChange",
    "InvalidReset", "InvalidToken", "InvalidVerification", "LockedOut", "MadeApiKey", "MailAddress", "NoEmailChange",
    "NotOneself", "Place", "SameEmail", "SignedInSession", "TokenExpired", "TokenRevoked", "TooManyApiKeys",
    "TooManyAttempts", "TooManyEmailChanges", "WeakPassword", "WrongPassword", "answer_mail_request",
    "authenticate_api_key", "begin_attempt", "change_password", "check_password_reset", "confirm_email_change",
    "create_api_key", "deactivate_user", "device_proof", "doubt_user", "email_change_token_for", "end_all_sessions",
    "end_session", "forget_places", "former_address_of", "grant_role", "locked_places", "log_in", "mail_address_of",
    "mark_verified", "may_be_confirmed", "new_address_of", "password_reset_token_for", "place_of", "prune_attempts",
    "prune_sessions", "reactivate_user", "read_access_token", "record_total_students", "refresh_session",
    "register_user", "request_email_change", "request_password_reset", "request_verification", "reset_password",
    "revoke_api_key", "revoke_api_keys_of", "revoke_role", "session_behind", "set_password", "sweep_mail_requests",
    "tell_the_cache", "unlock", "unlock_account", "update_instructor_profile", "update_profile",
    "verification_token_for", "verify_email",
]  # fmt: skip
