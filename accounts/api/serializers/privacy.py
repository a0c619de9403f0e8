"""The shapes of exports and erasures."""

from __future__ import annotations

from rest_framework import serializers

from accounts.models import PrivacyRequest
from smartcourse.api.serializers import InputSerializer, StorableCharField


class ExportSerializer(serializers.ModelSerializer[PrivacyRequest]):
    """A copy of all that is held on oneself: how far it is, and until when it can be had."""

    requested_at = serializers.DateTimeField(source="created_at")
    is_ready = serializers.BooleanField(help_text="Whether it can be downloaded now.")

    class Meta:
        model = PrivacyRequest
        fields = ["id", "workflow_id", "status", "is_ready", "requested_at", "finished_at", "expires_at"]
        read_only_fields = fields


class ErasureSerializer(serializers.ModelSerializer[PrivacyRequest]):
    """The end of one's account: until `due_at` it can be taken back."""

    requested_at = serializers.DateTimeField(source="created_at")
    may_be_cancelled = serializers.BooleanField()

    class Meta:
        model = PrivacyRequest
        fields = ["id", "workflow_id", "status", "may_be_cancelled", "requested_at", "due_at"]
        read_only_fields = fields


class ErasureInput(InputSerializer):
    current_password = StorableCharField(max_length=128, trim_whitespace=False)
