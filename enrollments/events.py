"""Facts about enrollments and their payment. `course_title` rides along where mails and notices are made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class EnrollmentCreated(Fact):
    """A seat was taken; the enrollment is not active yet."""

    type: ClassVar[str] = "enrollment.created"
    aggregate: ClassVar[str] = "enrollment"

    enrollment_id: UUID
    student_id: UUID
    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class EnrollmentActivated(Fact):
    """The classroom opened for a learner."""

    type: ClassVar[str] = "enrollment.activated"
    aggregate: ClassVar[str] = "enrollment"

    enrollment_id: UUID
    student_id: UUID
    course_id: UUID
    course_title: str


@dataclass(frozen=True, kw_only=True)
class EnrollmentCompleted(Fact):
    """A learner studied everything."""

    type: ClassVar[str] = "enrollment.completed"
    aggregate: ClassVar[str] = "enrollment"

    enrollment_id: UUID
    student_id: UUID
    course_id: UUID
    course_title: str


@dataclass(frozen=True, kw_only=True)
class EnrollmentDropped(Fact):
    """An enrollment ended before it was completed; its seat is free."""

    type: ClassVar[str] = "enrollment.dropped"
    aggregate: ClassVar[str] = "enrollment"
    personal: ClassVar[tuple[str, ...]] = ("reason",)

    enrollment_id: UUID
    student_id: UUID
    course_id: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class EnrollmentWaitlisted(Fact):
    """A course was full, and a learner joined its waiting list."""

    type: ClassVar[str] = "enrollment.waitlisted"
    aggregate: ClassVar[str] = "enrollment"
    planned: ClassVar[bool] = True

    enrollment_id: UUID
    student_id: UUID
    course_id: UUID


@dataclass(frozen=True, kw_only=True)
class PaymentSucceeded(Fact):
    """The money for an order arrived: `amount` in minor units of `currency` (ISO 4217)."""

    type: ClassVar[str] = "payment.succeeded"
    aggregate: ClassVar[str] = "payment"
    planned: ClassVar[bool] = True

    payment_id: UUID
    order_id: UUID
    enrollment_id: UUID
    student_id: UUID
    course_id: UUID
    amount: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class PaymentRefunded(Fact):
    """Money of a payment, all of it or a part, went back: `amount` in minor units of `currency` (ISO 4217)."""

    type: ClassVar[str] = "payment.refunded"
    aggregate: ClassVar[str] = "payment"
    planned: ClassVar[bool] = True

    payment_id: UUID
    refund_id: UUID
    order_id: UUID
    enrollment_id: UUID
    student_id: UUID
    course_id: UUID
    amount: int
    currency: str
