"""People and their sessions in the back office."""

from accounts.admin.api_keys import ApiKeyAdmin
from accounts.admin.applications import InstructorApplicationAdmin
from accounts.admin.lockout import SignInAttemptsAdmin
from accounts.admin.people import UserAdmin
from accounts.admin.privacy import PrivacyRequestAdmin
from accounts.admin.sessions import SessionAdmin
from accounts.admin.signing_in import FirstStepView

__all__ = [
    "ApiKeyAdmin", "FirstStepView", "InstructorApplicationAdmin", "PrivacyRequestAdmin", "SessionAdmin",
    "SignInAttemptsAdmin", "UserAdmin",
]  # fmt: skip
