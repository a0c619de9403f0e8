"""Enrollment: the seat is taken with the request; an order is paid; progress is laid out; the classroom opens.

Counters, the welcome mail and the notice are no steps of it: they listen to `enrollment.activated`.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from enrollments.events import PaymentSucceeded
from enrollments.services import activate_enrollment, release_enrollment
from progress.services import initialise_progress
from smartcourse.events.subscriptions import subscribe
from smartcourse.workflows.definitions import Step, StepContext, Wait, define
from smartcourse.workflows.services import signal

PAYMENT_TIME = timedelta(minutes=30)
"""A seat is kept for so long without its money."""


def _was_ordered(context: StepContext) -> bool:
    """A course with a price is had by an order, which starts the process with its id."""
    return "order_id" in context.data


def _initialise_progress(context: StepContext) -> None:
    initialise_progress(enrollment_id=context.subject_id, at=timezone.now())


def _activate(context: StepContext) -> None:
    activate_enrollment(enrollment_id=context.subject_id, at=timezone.now())


def _release(context: StepContext) -> None:
    release_enrollment(
        enrollment_id=context.subject_id, reason=f"Enrolling failed: {context.error}", at=timezone.now()
    )


# Everything is undone by giving the seat back, whichever step failed: engines compensate back to the beginning.
ENROLLMENT = define(
    "enrollment",
    Wait(
        "await_payment",
        compensate=_release,
        signal=PaymentSucceeded.type,
        timeout=PAYMENT_TIME,
        when=_was_ordered,
    ),
    Step("initialise_progress", _initialise_progress),
    Step("activate", _activate),
    about="enrollments.Enrollment",
)


@subscribe(PaymentSucceeded)
def go_on_once_it_is_paid(fact: PaymentSucceeded) -> None:
    signal(
        ENROLLMENT.name,
        key=str(fact.enrollment_id),
        name=fact.type,
        data={"payment_id": str(fact.payment_id)},
    )
