"""F21: the clock is put back between two moments of one enrollment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from enrollments.tests.factories import EnrollmentFactory


@pytest.mark.django_db
class TestCompletion:
    def test_is_never_before_the_beginning(self) -> None:
        enrollment, now = EnrollmentFactory(), timezone.now()
        enrollment.activate(at=now)
        enrollment.complete(at=now - timedelta(hours=1))
        assert enrollment.completed_at == enrollment.started_at == now
