"""Endpoints and deliveries as the API shows and takes them; a secret is in two answers and in no others."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from smartcourse.api.serializers import InputSerializer, StorableCharField
from smartcourse.webhooks.models import DeliveryAttempt, Endpoint, EndpointStatus, WebhookDelivery


class WebhookSerializer(serializers.ModelSerializer[Endpoint]):
    """An endpoint; `is_platform` says that it is nobody's own and hears everything."""

    is_platform = serializers.BooleanField(read_only=True)

    class Meta:
        model = Endpoint
        fields = [
            "id", "url", "description", "fact_types", "is_platform", "status", "disabled_reason", "disabled_at",
            "failing_since", "previous_secret_expires_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class WebhookWithSecret(WebhookSerializer):
    """An endpoint with the secret that its receiver verifies signatures by; it is not shown again."""

    secret = serializers.CharField(read_only=True)

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class WebhookChanges(InputSerializer):
    """What may be changed of an endpoint; switching it on forgets its failures."""

    url = StorableCharField(max_length=2000, help_text="Where to POST to; https, of the public Internet.")
    description = StorableCharField(max_length=200, required=False, allow_blank=True)
    fact_types = serializers.ListField(
        child=StorableCharField(max_length=100),
        min_length=1,
        max_length=200,
        help_text="Facts to be told of.",
    )
    status = serializers.ChoiceField(choices=EndpointStatus.choices, required=False)


class WebhookRequest(InputSerializer):
    """A new endpoint; `platform` is for staff: nobody's own, told of everything."""

    url = StorableCharField(max_length=2000, help_text="Where to POST to; https, of the public Internet.")
    description = StorableCharField(max_length=200, required=False, allow_blank=True, default="")
    fact_types = serializers.ListField(
        child=StorableCharField(max_length=100),
        min_length=1,
        max_length=200,
        help_text="Facts to be told of.",
    )
    platform = serializers.BooleanField(required=False, default=False)


class FactTypeSerializer(serializers.Serializer[Any]):
    """A fact that one may choose."""

    type = serializers.CharField()
    version = serializers.IntegerField()
    description = serializers.CharField()


class WebhookDeliverySummary(serializers.ModelSerializer[WebhookDelivery]):
    """What an endpoint is owed; `message_id` is the `webhook-id` of every attempt at it."""

    message_id = serializers.CharField(read_only=True)

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "message_id", "fact_type", "redelivery", "status", "attempts", "next_attempt_at", "created_at",
            "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class WebhookAttempt(serializers.ModelSerializer[DeliveryAttempt]):
    """How one attempt went; of the response, the first 1,024 bytes."""

    class Meta:
        model = DeliveryAttempt
        fields = ["number", "at", "duration_ms", "status_code", "response", "error"]
        read_only_fields = fields


class WebhookDeliveryDetail(WebhookDeliverySummary):
    """One delivery with the body that is sent, and every attempt."""

    log = WebhookAttempt(many=True, read_only=True)

    class Meta(WebhookDeliverySummary.Meta):
        fields = [*WebhookDeliverySummary.Meta.fields, "body", "log"]
        read_only_fields = fields
