"""Certificates for tests."""

from __future__ import annotations

import factory
from django.core.files.base import ContentFile
from django.utils import timezone
from factory.django import DjangoModelFactory

from certificates.models import Certificate, CertificateStatus
from enrollments.tests.factories import EnrollmentFactory


class CertificateFactory(DjangoModelFactory[Certificate]):
    """An issued certificate; `CertificateFactory(status="PENDING", pdf="")` for one whose PDF is not made yet."""

    class Meta:
        model = Certificate

    enrollment = factory.SubFactory(EnrollmentFactory, completed=True)
    status = CertificateStatus.ISSUED
    recipient_name = factory.SelfAttribute("enrollment.student.full_name")
    course_title = factory.SelfAttribute("enrollment.course.title")
    issued_at = factory.LazyFunction(timezone.now)
    pdf = factory.LazyFunction(lambda: ContentFile(b"%PDF-1.7 a certificate", name="certificate.pdf"))
