"""F21: the clock is ahead, put back, or crosses a change to daylight saving: tokens, sessions and jobs stay right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from celery.schedules import crontab
from django.conf import settings
from django.utils import timezone

from accounts.models import Session
from accounts.tests.signing_in import ME, bearer, log_in, refresh

pytestmark = pytest.mark.django_db


class TestAMonthAhead:
    def test_nothing_of_before_opens_anything(self, student: Any) -> None:
        tokens = log_in(student)
        with time_machine.travel(timezone.now() + timedelta(days=30, seconds=1)):
            assert bearer(tokens["access_token"]).get(ME).json()["code"] == "token_expired"
            assert refresh(tokens["refresh_token"]).json()["code"] == "token_revoked"
            assert bearer(log_in(student)["access_token"]).get(ME).status_code == 200


class TestAnHourBack:
    def test_an_access_token_of_the_future_opens_nothing_and_its_owner_only_refreshes(
        self, student: Any
    ) -> None:
        with time_machine.travel(timezone.now() + timedelta(hours=1)):
            tokens = log_in(student)
        # It would live an hour too long.
        assert bearer(tokens["access_token"]).get(ME).json()["code"] == "invalid_token"
        renewed = refresh(tokens["refresh_token"])
        assert renewed.status_code == 200
        assert bearer(renewed.json()["access_token"]).get(ME).status_code == 200

    def test_a_session_lives_no_longer_than_it_was_given(self, student: Any) -> None:
        log_in(student)
        session = Session.objects.get()
        assert session.expires_at - session.created_at <= settings.REFRESH_TOKEN_LIFETIME + timedelta(
            seconds=5
        )


class TestDaylightSaving:
    @pytest.mark.parametrize("change", ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00"])
    def test_a_token_lives_its_quarter_of_an_hour(self, student: Any, change: str) -> None:
        moment = datetime.fromisoformat(change)
        with time_machine.travel(moment - timedelta(minutes=10), tick=False):
            token = log_in(student)["access_token"]
        with time_machine.travel(moment + timedelta(minutes=4), tick=False):
            assert bearer(token).get(ME).status_code == 200
        with time_machine.travel(moment + timedelta(minutes=6), tick=False):
            assert bearer(token).get(ME).json()["code"] == "token_expired"

    @pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
    def test_an_hourly_job_is_due_every_hour_of_such_a_day(self, day: str) -> None:
        # Beat reckons in UTC, which knows no such days.
        assert settings.CELERY_TIMEZONE == "UTC"
        hourly, now = crontab(minute="0"), datetime.fromisoformat(f"{day}T00:00:00+00:00")
        for _ in range(24):
            with time_machine.travel(now, tick=False):
                due_in = hourly.remaining_estimate(now).total_seconds()
            assert due_in == 3600
            now += timedelta(hours=1)
        assert now.tzinfo == UTC
