"""The shapes of people."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import InstructorProfile, Role, User, validate_address, validate_name
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
    email = serializers.EmailField(max_length=254, validators=[validate_address])
    password = StorableCharField(min_length=8, max_length=128, trim_whitespace=False)
    full_name = NameField()


class ProfileInput(InputSerializer):
    full_name = NameField()


class InstructorProfileInput(InputSerializer):
    headline = StorableCharField(max_length=160, allow_blank=True, required=False)
    bio = StorableCharField(max_length=5000, allow_blank=True, required=False)
