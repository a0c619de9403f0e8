"""The shapes of people and sessions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import InstructorProfile, Role, Session, User, validate_name
from smartcourse.api.serializers import InputSerializer, StorableCharField


class UserSerializer(serializers.ModelSerializer[User]):
    """A person, as they and staff see them."""

    role = serializers.ChoiceField(choices=Role.choices, help_text="The highest of the roles.")
    roles = serializers.ListField(child=serializers.ChoiceField(choices=Role.choices))

    class Meta:
        model = User
        fields = ["id", "email", "full_name", "role", "roles", "is_active", "is_verified", "created_at"]
        read_only_fields = fields


class PublicUserSerializer(serializers.ModelSerializer[User]):
    """A person, as named beside what they made."""

    class Meta:
        model = User
        fields = ["id", "full_name"]
        read_only_fields = fields


class PublicProfileSerializer(serializers.ModelSerializer[User]):
    """A person, as everybody who is signed in may see them."""

    role = serializers.ChoiceField(choices=Role.choices, help_text="The highest of the roles.")

    class Meta:
        model = User
        fields = ["id", "full_name", "role"]
        read_only_fields = fields


class SignedInSerializer(serializers.Serializer[Any]):
    """The answer to a log-in; `expires_in` is in seconds."""

    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    user = UserSerializer()


class SessionSerializer(serializers.ModelSerializer[Session]):
    """A device that one is signed in on."""

    is_current = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = ["id", "user_agent", "address", "created_at", "last_used_at", "expires_at", "is_current"]
        read_only_fields = fields

    def get_is_current(self, session: Session) -> bool:
        return bool(session == self.context["request"].auth)


class InstructorSerializer(serializers.ModelSerializer[InstructorProfile]):
    """A teacher, as learners see her."""

    id = serializers.UUIDField(source="user_id")
    full_name = serializers.CharField(source="user.full_name")

    class Meta:
        model = InstructorProfile
        fields = ["id", "full_name", "headline", "bio", "total_students"]
        read_only_fields = fields


class NameField(StorableCharField):
    """What a person is called: one line of 2 to 255 characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=2, max_length=255, **options)
        self.validators.append(validate_name)


class RegistrationInput(InputSerializer):
    email = serializers.EmailField(max_length=254)
    password = StorableCharField(min_length=8, max_length=128, trim_whitespace=False)
    full_name = NameField()


class LoginInput(InputSerializer):
    email = StorableCharField(max_length=254)
    password = StorableCharField(max_length=128, trim_whitespace=False)


class PasswordGrantInput(InputSerializer):
    """OAuth 2.0's password form (RFC 6749 §4.3.2); what else the form knows is taken and not used."""

    username = StorableCharField(max_length=254)
    password = StorableCharField(max_length=128, trim_whitespace=False)
    grant_type = serializers.ChoiceField(choices=["password"], required=False)
    scope = serializers.CharField(required=False, allow_blank=True)
    client_id = serializers.CharField(required=False, allow_blank=True)
    client_secret = serializers.CharField(required=False, allow_blank=True)


class RefreshInput(InputSerializer):
    refresh_token = StorableCharField(max_length=200)


class VerificationInput(InputSerializer):
    token = StorableCharField(max_length=500)


class ProfileInput(InputSerializer):
    full_name = NameField()


class PasswordChangeInput(InputSerializer):
    current_password = StorableCharField(max_length=128, trim_whitespace=False)
    new_password = StorableCharField(min_length=8, max_length=128, trim_whitespace=False)


class InstructorProfileInput(InputSerializer):
    headline = StorableCharField(max_length=160, allow_blank=True, required=False)
    bio = StorableCharField(max_length=5000, allow_blank=True, required=False)
