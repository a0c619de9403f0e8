"""`GET /workflows/{id}`: how far a process is."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from rest_framework import serializers

from smartcourse.api.permissions import SignedIn
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.workflows.models import Run, StepRecord


class StepRecordSerializer(serializers.ModelSerializer[StepRecord]):
    class Meta:
        model = StepRecord
        fields = ["name", "status", "attempts", "at"]


class RunSerializer(serializers.ModelSerializer[Run]):
    """A process as its starter sees it."""

    steps = StepRecordSerializer(many=True, read_only=True)

    class Meta:
        model = Run
        fields = [
            "id",
            "process",
            "subject_id",
            "status",
            "error_code",
            "error",
            "steps",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields


class WorkflowViewSet(ContextViewSet):
    """Processes: visible to staff, and to whoever started them."""

    queryset = Run.objects.prefetch_related("steps")
    serializers: ClassVar[dict[str, Any]] = {"retrieve": RunSerializer}
    permissions: ClassVar[dict[str, Any]] = {"retrieve": [SignedIn]}


urlpatterns = [
    path("workflows/<uuid:pk>", WorkflowViewSet.as_view({"get": "retrieve"}), name="workflow-detail"),
]
