"""The shapes of log-ins and sessions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.api.serializers.people import UserSerializer
from accounts.models import Session
from smartcourse.api.serializers import InputSerializer, StorableCharField


class SignedInSerializer(serializers.Serializer[Any]):
    """The answer to a log-in; `expires_in` is in seconds."""

    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    user = UserSerializer()


class SignedInByCookieSerializer(serializers.Serializer[Any]):
    """The answer to a browser's log-in: its tokens are in cookies; `expires_in` is in seconds."""

    token_type = serializers.ChoiceField(choices=["Cookie"], default="Cookie")
    expires_in = serializers.IntegerField()
    csrf_token = serializers.CharField(help_text="For the header `X-CSRFToken` of every write.", default="")
    user = UserSerializer()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return super().to_representation(instance) | {"token_type": "Cookie"}


class SessionSerializer(serializers.ModelSerializer[Session]):
    """A device that one is signed in on."""

    is_current = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = ["id", "user_agent", "address", "created_at", "last_used_at", "expires_at", "is_current"]
        read_only_fields = fields

    def get_is_current(self, session: Session) -> bool:
        return bool(session == self.context["request"].auth)


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
    """A browser leaves it out: its refresh token is in a cookie."""

    refresh_token = StorableCharField(max_length=200, required=False)


class VerificationInput(InputSerializer):
    token = StorableCharField(max_length=500)


class PasswordChangeInput(InputSerializer):
    current_password = StorableCharField(max_length=128, trim_whitespace=False)
    new_password = StorableCharField(min_length=8, max_length=128, trim_whitespace=False)
