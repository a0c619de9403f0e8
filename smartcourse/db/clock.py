"""Moments by the database's clock, which is everybody's: workers on other machines, and wrong ones, cannot disagree."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DurationField, ExpressionWrapper, F, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Least, Now

LONGEST = 10
"""Patience with a message that was sent over and over grows to so many times the first one, and no further."""


def later(seconds: float) -> CombinedExpression:
    """Return the moment so many seconds from now."""
    return Now() + timedelta(seconds=seconds)


def ever_later(seconds: float, *, sent: str) -> CombinedExpression:
    """Return the moment to send the next message at, where the column `sent` counts those before this one.

    Each waits longer than the last: what merely stands in a long queue would be sent again and again otherwise, and
    make the queue longer still.
    """
    times = Least(F(sent) + 1, Value(LONGEST))
    waiting = ExpressionWrapper(times * Value(timedelta(seconds=seconds)), output_field=DurationField())
    return Now() + waiting
