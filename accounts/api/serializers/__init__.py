"""The shapes of people and sessions."""

from accounts.api.serializers.api_keys import ApiKeyInput, ApiKeySerializer, MadeApiKeySerializer
from accounts.api.serializers.people import (
    InstructorProfileInput,
    InstructorSerializer,
    NameField,
    ProfileInput,
    PublicProfileSerializer,
    PublicUserSerializer,
    RegistrationInput,
    UserSerializer,
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
    "ApiKeyInput",
    "ApiKeySerializer",
    "InstructorProfileInput",
    "InstructorSerializer",
    "LoginInput",
    "MadeApiKeySerializer",
    "NameField",
    "PasswordChangeInput",
    "PasswordGrantInput",
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
