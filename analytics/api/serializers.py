"""The shapes of numbers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class PeriodsSerializer(serializers.Serializer[Any]):
    """Sums of today, of the last 7 and of the last 30 days (UTC, today included)."""

    daily = serializers.IntegerField()
    weekly = serializers.IntegerField()
    monthly = serializers.IntegerField()


class PopularCourseSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    learner_count = serializers.IntegerField()


class DayNumbersSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    new_enrollments = serializers.IntegerField()
    completions = serializers.IntegerField()
    failed_workflows = serializers.IntegerField()


class HourNumberSerializer(serializers.Serializer[Any]):
    """A number of an hour, by the moment at which it begins."""

    hour = serializers.DateTimeField()
    value = serializers.IntegerField()


class PlatformNumbersSerializer(serializers.Serializer[Any]):
    """The platform in numbers; rates are percent (0 to 100), times seconds."""

    total_students = serializers.IntegerField()
    total_instructors = serializers.IntegerField()
    total_courses_published = serializers.IntegerField()
    total_enrollments = serializers.IntegerField()
    total_completions = serializers.IntegerField()
    new_enrollments = PeriodsSerializer()
    completions = PeriodsSerializer()
    failed_workflows = PeriodsSerializer()
    course_completion_rate = serializers.FloatField()
    avg_time_to_complete = serializers.FloatField(allow_null=True)
    popular_courses = PopularCourseSerializer(many=True)
    series = DayNumbersSerializer(many=True)
    failed_workflows_hourly = HourNumberSerializer(
        many=True, help_text="The last 24 hours, the running one last."
    )


class CourseNumbersSerializer(serializers.Serializer[Any]):
    """A course in numbers; rates and averages are percent (0 to 100)."""

    course_id = serializers.UUIDField()
    enrollments = serializers.IntegerField()
    completions = serializers.IntegerField()
    dropped = serializers.IntegerField()
    average_percentage = serializers.FloatField()
    course_completion_rate = serializers.FloatField()
