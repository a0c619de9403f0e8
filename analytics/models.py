"""What it all amounts to."""

from __future__ import annotations

from django.db import models


class MetricName(models.TextChoices):
    NEW_ENROLLMENTS = "new_enrollments"
    COMPLETIONS = "completions"
    FAILED_WORKFLOWS = "failed_workflows"


class DailyMetric(models.Model):
    """One number of one day (UTC): a projection, recomputed from the contexts' own rows and never incremented."""

    name = models.CharField(max_length=40, choices=MetricName.choices)
    day = models.DateField()
    value = models.PositiveBigIntegerField()
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["-day", "name"]
        constraints = [models.UniqueConstraint(fields=["name", "day"], name="one_value_per_metric_and_day")]

    def __str__(self) -> str:
        return f"{self.name} on {self.day}: {self.value}"


class HourlyMetric(models.Model):
    """One number of one hour (UTC), for what staff want to see sooner than at the end of a day; made like a day's."""

    name = models.CharField(max_length=40, choices=MetricName.choices)
    hour = models.DateTimeField(help_text="Its beginning.")
    value = models.PositiveBigIntegerField()
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["-hour", "name"]
        constraints = [models.UniqueConstraint(fields=["name", "hour"], name="one_value_per_metric_and_hour")]

    def __str__(self) -> str:
        return f"{self.name} from {self.hour:%Y-%m-%d %H:%M}: {self.value}"
