"""Enrollment: the seat is taken with the request; then progress is laid out, then the classroom opens.

Counters, the welcome mail and the notice are no steps of it: they listen to `enrollment.activated`.
"""

from __future__ import annotations

from django.utils import timezone

from enrollments.services import activate_enrollment, release_enrollment
from progress.services import initialise_progress
from smartcourse.workflows.definitions import Step, StepContext, define


def _initialise_progress(context: StepContext) -> None:
    initialise_progress(enrollment_id=context.subject_id, at=timezone.now())


def _activate(context: StepContext) -> None:
    activate_enrollment(enrollment_id=context.subject_id, at=timezone.now())


def _release(context: StepContext) -> None:
    release_enrollment(
        enrollment_id=context.subject_id, reason=f"Enrolling failed: {context.error}", at=timezone.now()
    )


# What is undone is undone by the first step, whichever failed: engines compensate back to the beginning.
ENROLLMENT = define(
    "enrollment",
    Step("initialise_progress", _initialise_progress, compensate=_release),
    Step("activate", _activate),
)
