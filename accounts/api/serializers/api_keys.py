"""The shapes of API keys."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import ApiKey, ApiKeyScope
from smartcourse.api.serializers import InputSerializer, StorableCharField


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """A key, as its owner sees it later; the key itself is not shown again."""

    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ApiKeyScope.choices))

    class Meta:
        model = ApiKey
        fields = ["id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at"]
        read_only_fields = fields


class MadeApiKeySerializer(serializers.Serializer[Any]):
    """A key just made: `key` is told in this answer only."""

    id = serializers.UUIDField(source="row.id")
    name = serializers.CharField(source="row.name")
    prefix = serializers.CharField(source="row.prefix")
    scopes = serializers.ListField(
        source="row.scopes", child=serializers.ChoiceField(choices=ApiKeyScope.choices)
    )
    created_at = serializers.DateTimeField(source="row.created_at")
    expires_at = serializers.DateTimeField(source="row.expires_at")
    last_used_at = serializers.DateTimeField(source="row.last_used_at", allow_null=True)
    key = serializers.CharField(help_text="Keep it: it is shown this once.")


class ApiKeyInput(InputSerializer):
    name = StorableCharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=ApiKeyScope.choices),
        min_length=1,
        max_length=len(ApiKeyScope.values),
    )
    expires_at = serializers.DateTimeField(help_text="In a year at the latest.")
