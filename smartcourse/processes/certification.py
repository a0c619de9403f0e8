"""Certification: a completed enrollment becomes a certificate that anybody can verify."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from certificates import services as certificates
from enrollments.events import EnrollmentCompleted
from smartcourse.events.subscriptions import subscribe
from smartcourse.workflows.definitions import Step, StepContext, define


def prepare(context: StepContext) -> dict[str, Any]:
    certificate = certificates.prepare_certificate(enrollment_id=context.subject_id)
    return {"certificate_id": str(certificate.pk)}


def render_and_store(context: StepContext) -> None:
    certificates.store_pdf(certificate_id=UUID(context.data["certificate_id"]))


def sign(context: StepContext) -> None:
    certificates.sign_certificate(certificate_id=UUID(context.data["certificate_id"]))


def issue(context: StepContext) -> None:
    certificates.issue_certificate(certificate_id=UUID(context.data["certificate_id"]), at=timezone.now())


# To render and to store is one step: between two there would have to be a place for the bytes, and the storage is that
# place. All that is signed was decided by `prepare`, the moment of issue included; so a step that is repeated makes the
# same bytes and the same signature.
#
# Nothing undoes a step: a certificate whose PDF could not be made stays PENDING, unseen, and the next request for it
# (POST /enrollments/{id}/certificate, or the fact again) goes on from there.
define(
    "certification",
    Step("prepare", prepare),
    Step("render_and_store", render_and_store),
    Step("sign", sign),
    Step("issue", issue),
    again=lambda run: certificates.request_certificate(
        enrollment_id=run.subject_id, requested_by=run.requested_by_id
    ),
    queue="certificates",
    about="enrollments.Enrollment",
)


@subscribe(EnrollmentCompleted, queue="certificates")
def certify_completed_enrollment(fact: EnrollmentCompleted) -> None:
    # Told again, there is nothing left to do, and no run that would say so.
    if not certificates.is_certified(enrollment_id=fact.enrollment_id):
        certificates.request_certificate(enrollment_id=fact.enrollment_id)
