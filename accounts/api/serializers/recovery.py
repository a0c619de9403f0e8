"""The shapes of getting back in, and of changing the address."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import validate_address
from smartcourse.api.serializers import InputSerializer, StorableCharField


class MailOnItsWaySerializer(serializers.Serializer[Any]):
    """The same for every address, whether or not a mail leaves."""

    detail = serializers.CharField()


class AddressInput(InputSerializer):
    email = serializers.EmailField(max_length=254, validators=[validate_address])


class PasswordResetInput(InputSerializer):
    token = StorableCharField(max_length=200)
    new_password = StorableCharField(min_length=8, max_length=128, trim_whitespace=False)


class EmailChangeInput(InputSerializer):
    new_email = serializers.EmailField(max_length=254, validators=[validate_address])
    current_password = StorableCharField(max_length=128, trim_whitespace=False)
