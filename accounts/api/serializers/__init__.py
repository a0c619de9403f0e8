"""The shapes of people and sessions."""

from accounts.api.serializers.api_keys import ApiKeyInput, ApiKeySerializer, MadeApiKeySerializer
from accounts.api.serializers.applications import (
    ApprovalInput,
    InstructorApplicationInput,
    InstructorApplicationSerializer,
    RejectionInput,
)
from accounts.api.serializers.people import (
    AccountSerializer,
    InstructorProfileInput,
    InstructorSerializer,
    NameField,
    NameUnprintable,
    NobodyBornThen,
    NoSuchPhone,
    ProfileInput,
    PublicProfileSerializer,
    PublicUserSerializer,
    RegistrationInput,
    UserSerializer,
)
from accounts.api.serializers.privacy import ErasureInput, ErasureSerializer, ExportSerializer
from accounts.api.serializers.recovery import (
    AddressInput,
    EmailChangeInput,
    MailOnItsWaySerializer,
    PasswordResetInput,
)
from accounts.api.serializers.sessions import (
    LoginInput,
    PasswordChangeInput,
    PasswordGrantInput,
    RefreshInput,
    SessionSerializer,
    SignedInByCookieSerializer,
    SignedInSerializer,
    VerificationInput,
)

__all__ = [
    "AccountSerializer",
    "AddressInput",
    "ApiKeyInput",
    "ApiKeySerializer",
    "ApprovalInput",
    "EmailChangeInput",
    "ErasureInput",
    "ErasureSerializer",
    "ExportSerializer",
    "InstructorApplicationInput",
    "InstructorApplicationSerializer",
    "InstructorProfileInput",
    "InstructorSerializer",
    "LoginInput",
    "MadeApiKeySerializer",
    "MailOnItsWaySerializer",
    "NameField",
    "NameUnprintable",
    "NoSuchPhone",
    "NobodyBornThen",
    "PasswordChangeInput",
    "PasswordGrantInput",
    "PasswordResetInput",
    "ProfileInput",
    "PublicProfileSerializer",
    "PublicUserSerializer",
    "RefreshInput",
    "RegistrationInput",
    "RejectionInput",
    "SessionSerializer",
    "SignedInByCookieSerializer",
    "SignedInSerializer",
    "UserSerializer",
    "VerificationInput",
]
