"""F21: the database's clock is put back while a step is under way."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from smartcourse.workflows.models import StepState, StepStatus


class TestStep:
    def test_takes_no_time_below_nought(self) -> None:
        begun = timezone.now()
        step = StepState(
            "charge", StepStatus.COMPLETED, started_at=begun, finished_at=begun - timedelta(hours=1)
        )
        assert step.seconds == 0
