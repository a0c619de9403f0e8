"""What analytics holds of a person: nothing, its numbers are of days."""

from smartcourse.db.personal import declare

declare("analytics", impersonal={"analytics.DailyMetric": "numbers of a day, of nobody"})
