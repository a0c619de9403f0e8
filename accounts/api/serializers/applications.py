"""The shapes of applications to teach."""

from __future__ import annotations

from rest_framework import serializers

from accounts.api.serializers.people import PublicUserSerializer
from accounts.models import InstructorApplication
from smartcourse.api.serializers import InputSerializer, StorableCharField


class InstructorApplicationSerializer(serializers.ModelSerializer[InstructorApplication]):
    """An application, as the person and staff see it; `reason` is what staff said."""

    user = PublicUserSerializer()

    class Meta:
        model = InstructorApplication
        fields = ["id", "user", "statement", "status", "reason", "created_at", "decided_at"]
        read_only_fields = fields


class InstructorApplicationInput(InputSerializer):
    statement = StorableCharField(min_length=20, max_length=5000)


class ApprovalInput(InputSerializer):
    reason = StorableCharField(max_length=500, allow_blank=True, required=False, default="")


class RejectionInput(InputSerializer):
    reason = StorableCharField(max_length=500)
