"""Deeds about certificates: prepared, printed, issued, once per enrollment whatever happens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction

from certificates.events import CertificateIssued
from certificates.models import Certificate, CertificateChange, CertificateStatus
from certificates.rendering import CertificateWords, assert_printable, render_certificate
from enrollments.models import Enrollment, EnrollmentStatus
from smartcourse.errors import NotFound, RuleViolated
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


def issue_certificate(*, certificate_id: UUID, at: datetime) -> Certificate:
    """Make the certificate one that can be had and verified, and tell it once."""
    with transaction.atomic():
        certificate = Certificate.objects.select_for_update(of=("self",)).get(pk=certificate_id)
        if certificate.status != CertificateStatus.PENDING:
            return certificate
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


def verify_url(code: str) -> str:
    """Return the address at which anybody can verify the certificate."""
    return f"{settings.PUBLIC_URL}/verify/{code}"
