"""The shapes of second factors."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import FACTORS, Method, SecondFactor
from smartcourse.api.serializers import InputSerializer, StorableCharField


class MfaChallengeSerializer(serializers.Serializer[Any]):
    """The answer to a right password that is not enough: what `POST /auth/mfa/verify` wants, within five minutes."""

    mfa_required = serializers.BooleanField(default=True)
    mfa_token = serializers.CharField(help_text="It opens nothing but the second step.")
    methods = serializers.ListField(child=serializers.ChoiceField(choices=Method.choices))

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {"mfa_required": True, "mfa_token": instance.mfa_token, "methods": instance.methods}


class SecondFactorSerializer(serializers.ModelSerializer[SecondFactor]):
    """A way to prove more than a password; its secret is told when it is set up, and never again."""

    class Meta:
        model = SecondFactor
        fields = ["method", "confirmed_at", "last_used_at"]
        read_only_fields = fields


class SecondFactorsSerializer(serializers.Serializer[Any]):
    """How one proves more than a password."""

    factors = SecondFactorSerializer(many=True)
    methods = serializers.ListField(child=serializers.ChoiceField(choices=Method.choices))
    recovery_codes_left = serializers.IntegerField()
    is_required = serializers.BooleanField(help_text="Nothing but setting one up is open without.")


class NewAppSerializer(serializers.Serializer[Any]):
    """What an authenticator app is told, this once."""

    secret = serializers.CharField(help_text="In base32, to be typed.")
    otpauth_uri = serializers.CharField()
    qr_code = serializers.CharField(help_text="The URI as a picture: a `data:` URI of an SVG.")


class NewRecoveryCodesSerializer(serializers.Serializer[Any]):
    """Codes for when the app is lost: each works once, and they are shown this once."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class MfaTokenInput(InputSerializer):
    mfa_token = StorableCharField(max_length=100)


class MfaCodeInput(InputSerializer):
    mfa_token = StorableCharField(max_length=100)
    method = serializers.ChoiceField(choices=Method.choices)
    code = StorableCharField(max_length=40)


class FirstCodeInput(InputSerializer):
    code = StorableCharField(max_length=40)


class PresentPasswordInput(InputSerializer):
    current_password = StorableCharField(max_length=128, trim_whitespace=False)


class FactorRemovalInput(InputSerializer):
    method = serializers.ChoiceField(choices=FACTORS)
    current_password = StorableCharField(max_length=128, trim_whitespace=False)
