"""The shapes of people and sessions."""

from accounts.api.serializers.api_keys import ApiKeyInput, ApiKeySerializer, MadeApiKeySerializer
from accounts.api.serializers.people import (
    InstructorProfileInput,
    InstructorSerializer,
    NameField,
    NameUnprintable,
    ProfileInput,
    PublicProfileSerializer,
    PublicUserSerializer,
    RegistrationInput,
    UserSerializer,
)
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
    "AddressInput",
    "ApiKeyInput",
    "ApiKeySerializer",
    "EmailChangeInput",
    "InstructorProfileInput",
    "InstructorSerializer",
    "LoginInput",
    "MadeApiKeySerializer",
    "MailOnItsWaySerializer",
    "NameField",
    "NameUnprintable",
    "PasswordChangeInput",
    "PasswordGrantInput",
    "PasswordResetInput",
    "ProfileInput",
    "PublicProfileSerializer",
    "PublicUserSerializer",
    "RefreshInput",
    "RegistrationInput",
    "SessionSerializer",
    "SignedInByCookieSerializer",
    "SignedInSerializer",
    "UserSerializer",
    "VerificationInput",
]
