"""Deeds about certificates: prepared, printed, issued, once per enrollment whatever happens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction

from certificates.events import CertificateIssued
from certificates.models import Certificate, CertificateChange, CertificateStatus
from certificates.rendering import CertificateWords, assert_printable, render_certificate
from certificates.signing import Signature, key_set, sign, verifies
from enrollments.models import Enrollment, EnrollmentStatus
from smartcourse.errors import Conflict, NotFound, RuleViolated
from smartcourse.events.outbox import publish
from smartcourse.workflows.models import Run
from smartcourse.workflows.services import start


class CertificateNotFound(NotFound):
    """No certificate has that code."""

    message = "There is no certificate with this code."


class CourseNotCompleted(RuleViolated):
    """A certificate is for finished courses only."""

    code = "course_not_completed"
    message = "The certificate comes with the completion of the course."


class CertificateNotSigned(Conflict):
    """What is issued can be checked by anybody, so it was signed before."""

    message = "This certificate is not signed yet."


def request_certificate(*, enrollment_id: UUID, requested_by: UUID | None = None) -> Run:
    """Start the certification process for a completed enrollment; the run under way, where there is one.

    Raises:
        CourseNotCompleted: the enrollment is not completed.
    """
    with transaction.atomic():
        if not Enrollment.objects.filter(pk=enrollment_id, status=EnrollmentStatus.COMPLETED).exists():
            raise CourseNotCompleted
        return start(
            "certification", subject=enrollment_id, key=str(enrollment_id), requested_by=requested_by
        )


def is_certified(*, enrollment_id: UUID) -> bool:
    """Return whether the enrollment's certificate has been issued, revoked ones too."""
    return (
        Certificate.objects.filter(enrollment=enrollment_id)
        .exclude(status=CertificateStatus.PENDING)
        .exists()
    )


def prepare_certificate(*, enrollment_id: UUID) -> Certificate:
    """Return the enrollment's certificate, made now if there is none, its words frozen as they are today.

    Raises:
        CourseNotCompleted: the enrollment is not completed.
        UnprintableText: no font at hand can print the name or the title.
    """
    with transaction.atomic():
        enrollment = (
            Enrollment.objects.select_related("student", "course")
            .select_for_update(of=("self",))
            .get(pk=enrollment_id)
        )
        if existing := Certificate.objects.filter(enrollment=enrollment).first():
            return existing
        if enrollment.status != EnrollmentStatus.COMPLETED or enrollment.completed_at is None:
            raise CourseNotCompleted
        name, title = enrollment.student.full_name, enrollment.course.title
        assert_printable(name)
        assert_printable(title)
        return Certificate.objects.create(
            enrollment=enrollment, recipient_name=name, course_title=title, issued_at=enrollment.completed_at
        )


def store_pdf(*, certificate_id: UUID) -> Certificate:
    """Print the certificate and store the PDF; a certificate that has one keeps it.

    The file's name is the certificate's, so a step that is repeated after a crash leaves one file, not two.
    """
    with transaction.atomic():
        certificate = Certificate.objects.select_for_update(of=("self",)).get(pk=certificate_id)
        if certificate.pdf:
            return certificate
        name = f"certificates/{certificate.issued_at:%Y/%m}/{certificate.pk}.pdf"
        storage = certificate.pdf.storage
        if storage.exists(name):
            storage.delete(name)
        certificate.pdf.name = storage.save(name, ContentFile(render_certificate(words_of(certificate))))
        certificate.save(update_fields=["pdf", "updated_at"])
        return certificate


def sign_certificate(*, certificate_id: UUID) -> Certificate:
    """Sign what the certificate says; one that is signed keeps its signature, be the key another one by now."""
    with transaction.atomic():
        certificate = Certificate.objects.select_for_update(of=("self",)).get(pk=certificate_id)
        if not certificate.is_signed:
            made = sign(signed_words_of(certificate))
            certificate.keep_signature(payload=made.payload, signature=made.value, key_id=made.key_id)
        return certificate


def issue_certificate(*, certificate_id: UUID, at: datetime) -> Certificate:
    """Make the certificate one that can be had and verified, and tell it once.

    Raises:
        CertificateNotSigned: it is to be signed first.
    """
    with transaction.atomic():
        certificate = Certificate.objects.select_for_update(of=("self",)).get(pk=certificate_id)
        if certificate.status != CertificateStatus.PENDING:
            return certificate
        if not certificate.is_signed:
            raise CertificateNotSigned
        certificate.issue()
        CertificateChange.objects.create(
            certificate=certificate,
            from_status=CertificateStatus.PENDING,
            to_status=CertificateStatus.ISSUED,
            reason="course completed",
            at=at,
        )
        enrollment = Enrollment.objects.get(pk=certificate.enrollment_id)
        publish(
            CertificateIssued(
                certificate_id=certificate.pk,
                enrollment_id=enrollment.pk,
                student_id=enrollment.student_id,
                course_title=certificate.course_title,
            )
        )
        return certificate


def find_by_code(*, code: str) -> Certificate:
    """Return the certificate with that code, as typed from paper: case, spaces and hyphens do not matter.

    Raises:
        CertificateNotFound: there is none, or its PDF does not exist yet.
    """
    typed = code.upper().replace("-", "").replace(" ", "").translate(LOOKALIKES)
    certificate = Certificate.objects.obtainable().filter(code=typed).first()
    if certificate is None:
        raise CertificateNotFound
    return certificate


# Crockford's base 32 reads these as what they look like.
LOOKALIKES = str.maketrans("ILO", "110")


def words_of(certificate: Certificate) -> CertificateWords:
    """Return what is printed on a certificate."""
    return CertificateWords(
        recipient_name=certificate.recipient_name,
        course_title=certificate.course_title,
        issued_on=certificate.issued_at.date(),
        code=certificate.code,
        verify_url=verify_url(certificate.code),
        issuer_name=settings.ISSUER_NAME,
    )


def signed_words_of(certificate: Certificate) -> dict[str, str]:
    """Return what is signed: all that is printed, the moment in full (RFC 3339, UTC), and what kind of text this is."""
    words = words_of(certificate)
    return {
        "type": "smartcourse.certificate.v1",
        "code": words.code,
        "course_title": words.course_title,
        "issued_at": certificate.issued_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "issuer_name": words.issuer_name,
        "recipient_name": words.recipient_name,
        "verify_url": words.verify_url,
    }


def signature_of(certificate: Certificate) -> Signature | None:
    """Return the certificate's signature with what was signed; None where it has none."""
    if not certificate.is_signed:
        return None
    return Signature(certificate.signed_payload, certificate.signature, certificate.key_id)


def signature_holds(certificate: Certificate) -> bool:
    """Return whether one of our keys signed the payload, and the payload says what the certificate says today.

    Who gives certificates and where they are verified may change its name; the payload keeps the names of that day.
    """
    signature = signature_of(certificate)
    if signature is None or not verifies(signature):
        return False
    said, today = json.loads(signature.payload), signed_words_of(certificate)
    return all(
        said.get(name) == today[name] for name in ("code", "course_title", "issued_at", "recipient_name")
    )


def verification_keys() -> dict[str, Any]:
    """Return the public keys of all signatures, as a JSON Web Key Set (RFC 7517)."""
    return {"keys": key_set()}


def verify_url(code: str) -> str:
    """Return the address at which anybody can verify the certificate."""
    return f"{settings.PUBLIC_URL}/verify/{code}"
