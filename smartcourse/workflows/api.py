"""`GET /workflows/{id}`: how far a process is."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from rest_framework import serializers

from smartcourse.api.permissions import SignedIn
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.workflows.models import Run, StepState, StepStatus


class StepSerializer(serializers.Serializer[StepState]):
    """One step of a process, those that are still to come too."""

    name = serializers.CharField()
    status = serializers.ChoiceField(choices=StepStatus.choices)
    attempts = serializers.IntegerField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(allow_blank=True)


class RunSerializer(serializers.ModelSerializer[Run]):
    """A process as its starter sees it."""

    steps = StepSerializer(many=True, read_only=True, source="timeline")

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

    scope = "workflows"
    queryset = Run.objects.prefetch_related("steps")
    serializers: ClassVar[dict[str, Any]] = {"retrieve": RunSerializer}
    permissions: ClassVar[dict[str, Any]] = {"retrieve": [SignedIn]}


urlpatterns = [
    path("workflows/<uuid:pk>", WorkflowViewSet.as_view({"get": "retrieve"}), name="workflow-detail"),
]
