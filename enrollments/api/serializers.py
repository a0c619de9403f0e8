"""Enrollments as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import User
from courses.api.serializers import CourseBrief
from enrollments.models import Enrollment
from smartcourse.api.serializers import InputSerializer, StorableCharField


class LearnerBrief(serializers.ModelSerializer[User]):
    """A learner by name."""

    class Meta:
        model = User
        fields = ["id", "full_name"]
        read_only_fields = fields


class EnrollmentSummary(serializers.ModelSerializer[Enrollment]):
    """An enrollment in a list of one's own; `percentage` is 0 to 100."""

    course = CourseBrief(read_only=True)

    class Meta:
        model = Enrollment
        fields = [
            "id",
            "status",
            "percentage",
            "workflow_id",
            "course",
            "created_at",
            "started_at",
            "completed_at",
        ]
        read_only_fields = fields


class EnrollmentDetail(EnrollmentSummary):
    """One enrollment, with whose it is."""

    student = LearnerBrief(read_only=True)

    class Meta(EnrollmentSummary.Meta):
        fields = [*EnrollmentSummary.Meta.fields, "student", "ended_at"]
        read_only_fields = fields


class RosterRow(serializers.ModelSerializer[Enrollment]):
    """An enrollment as the course's instructor sees it."""

    student = LearnerBrief(read_only=True)

    class Meta:
        model = Enrollment
        fields = ["id", "student", "status", "percentage", "created_at", "started_at", "completed_at"]
        read_only_fields = fields


class EnrollRequest(InputSerializer):
    """`student_id` is for staff, who say for what reason they enroll somebody else."""

    course_id = serializers.UUIDField()
    student_id = serializers.UUIDField(required=False)
    reason = StorableCharField(required=False, allow_blank=True, default="", max_length=500)


class DropRequest(InputSerializer):
    """Why; required where it is another person's enrollment."""

    reason = StorableCharField(required=False, allow_blank=True, default="", max_length=500)

    def to_internal_value(self, data: Any) -> Any:
        # Many clients cannot send a body with DELETE: `?reason=` says the same.
        asked = self.context["request"].query_params
        if isinstance(data, dict) and "reason" in asked:
            data = {"reason": asked["reason"], **data}
        return super().to_internal_value(data)
