"""The shapes of people."""

from __future__ import annotations

from datetime import date
from typing import Any

import phonenumbers
from django.utils import timezone
from rest_framework import serializers

from accounts.models import InstructorProfile, Role, User, validate_name
from smartcourse.api.serializers import InputSerializer, StorableCharField

OLDEST_YEARS = 130


class UserSerializer(serializers.ModelSerializer[User]):
    """A person, as they and staff see them in passing."""

    role = serializers.ChoiceField(choices=Role.choices, help_text="The highest of the roles.")
    roles = serializers.ListField(child=serializers.ChoiceField(choices=Role.choices))

    class Meta:
        model = User
        fields = ["id", "email", "full_name", "role", "roles", "is_active", "is_verified", "created_at"]
        read_only_fields = fields


class AccountSerializer(UserSerializer):
    """A person, as they and staff see them: with what is nobody else's business."""

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "phone", "birth_date"]
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


class PhoneField(StorableCharField):
    """A telephone number that exists somewhere, in international form; empty for none.

    It comes out as E.164 writes it (`+4930123456`), however it was spaced.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, allow_blank=True, **options)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if not text:
            return text
        try:
            number = phonenumbers.parse(text)
        except phonenumbers.NumberParseException as error:
            raise serializers.ValidationError(
                "Write the number in international form, beginning with +.", code="invalid"
            ) from error
        if not phonenumbers.is_valid_number(number):
            raise serializers.ValidationError("There is no such telephone number.", code="invalid")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class BirthDateField(serializers.DateField):
    """A day on which somebody alive may have been born; null for none."""

    def to_internal_value(self, value: Any) -> date:
        day: date = super().to_internal_value(value)
        today = timezone.now().date()
        if not today.year - OLDEST_YEARS <= day.year or day > today:
            raise serializers.ValidationError("Nobody alive was born on that day.", code="invalid")
        return day


class RegistrationInput(InputSerializer):
    email = serializers.EmailField(max_length=254)
    password = StorableCharField(min_length=8, max_length=128, trim_whitespace=False)
    full_name = NameField()


class ProfileInput(InputSerializer):
    full_name = NameField()
    phone = PhoneField(required=False)
    birth_date = BirthDateField(required=False, allow_null=True)


class InstructorProfileInput(InputSerializer):
    headline = StorableCharField(max_length=160, allow_blank=True, required=False)
    bio = StorableCharField(max_length=5000, allow_blank=True, required=False)
