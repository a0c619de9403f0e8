"""The shapes of people."""

from __future__ import annotations

from datetime import date
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils import timezone
from rest_framework import serializers
from rest_framework.fields import empty

from accounts.models import InstructorProfile, Role, User, validate_address, validate_name
from smartcourse.api.serializers import InputSerializer, StorableCharField
from smartcourse.errors import FieldError, Unacceptable

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


class NameUnprintable(Unacceptable):
    message = "This is no name that can be printed."


class NameField(StorableCharField):
    """What a person is called: one line of 2 to 255 characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=2, max_length=255, **options)
        self.validators.append(self._check)

    def _check(self, name: str) -> None:
        """Refuse by a rule what is of the form that the schema can say.

        Raises:
            NameUnprintable: nobody could print it, or read it.
        """
        try:
            validate_name(name)
        except DjangoValidationError as error:
            row = FieldError(self.field_name or "full_name", "invalid", error.messages[0])
            raise NameUnprintable(errors=[row]) from error


class NoSuchPhone(Unacceptable):
    message = "There is no such telephone number."


class PhoneField(serializers.RegexField):
    """A telephone number that exists somewhere, in international form; empty for none.

    It comes out as E.164 writes it (`+4930123456`), however it was spaced.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^(\+[0-9 ()./-]{4,38})?$", allow_blank=True, trim_whitespace=False, **options)

    def run_validation(self, data: Any = empty) -> Any:
        """Return the number as it is kept.

        Raises:
            NoSuchPhone: it has the form of one, and nobody can have it.
        """
        text = super().run_validation(data)
        if not text:
            return text
        refused = NoSuchPhone(errors=[FieldError(self.field_name or "phone", "invalid", NoSuchPhone.message)])
        try:
            number = phonenumbers.parse(text)
        except phonenumbers.NumberParseException as error:
            raise refused from error
        if not phonenumbers.is_valid_number(number):
            raise refused
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class NobodyBornThen(Unacceptable):
    message = "Nobody alive was born on that day."


class BirthDateField(serializers.DateField):
    """A day on which somebody alive may have been born; null for none."""

    def to_internal_value(self, value: Any) -> date:
        """Return the day.

        Raises:
            NobodyBornThen: it is to come, or too long ago.
        """
        day: date = super().to_internal_value(value)
        today = timezone.now().date()
        if not today.year - OLDEST_YEARS <= day.year or day > today:
            row = FieldError(self.field_name or "birth_date", "invalid", NobodyBornThen.message)
            raise NobodyBornThen(errors=[row])
        return day


class RegistrationInput(InputSerializer):
    email = serializers.EmailField(max_length=254, validators=[validate_address])
    password = StorableCharField(min_length=8, max_length=128, trim_whitespace=False)
    full_name = NameField()


class ProfileInput(InputSerializer):
    full_name = NameField()
    phone = PhoneField(required=False)
    birth_date = BirthDateField(required=False, allow_null=True)


class InstructorProfileInput(InputSerializer):
    headline = StorableCharField(max_length=160, allow_blank=True, required=False)
    bio = StorableCharField(max_length=5000, allow_blank=True, required=False)
