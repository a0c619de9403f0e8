"""What analytics holds of a person: nothing, its numbers are of days."""

from smartcourse.db.personal import declare

declare(
    "analytics",
    impersonal=dict.fromkeys(
        ("analytics.DailyMetric", "analytics.HourlyMetric"), "numbers of a time, of nobody"
    ),
)
