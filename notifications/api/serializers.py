"""The shapes of notices."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from notifications.models import Message


class NotificationSerializer(serializers.ModelSerializer[Message]):
    """A notice; `data` holds the ids that an app needs to act on it."""

    data = serializers.DictField()  # type: ignore[assignment]  # the model's name for it, and the API's

    class Meta:
        model = Message
        fields = ["id", "type", "title", "body", "data", "created_at", "read_at"]
        read_only_fields = fields


class UnreadCountSerializer(serializers.Serializer[Any]):
    unread = serializers.IntegerField()
