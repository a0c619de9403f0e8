"""Certificates over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import FileResponse
from rest_framework.request import Request
from rest_framework.response import Response

from certificates import policies, services
from certificates.api.serializers import (
    CertificateSerializer,
    CertificationSerializer,
    KeySetSerializer,
    VerificationSerializer,
)
from certificates.models import Certificate
from enrollments.models import Enrollment
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import Anybody, SignedIn
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.errors import NotAllowed


class CertificateViewSet(ContextViewSet):
    """Certificates: a learner's own, a list of those of an instructor's courses, all for staff."""

    scope = "certificates"
    queryset = Certificate.objects.obtainable().select_related("enrollment__course")
    pagination_class = CursorPagination
    serializers: ClassVar[dict[str, Any]] = {
        "list": CertificateSerializer,
        "retrieve": CertificateSerializer,
        "verify": VerificationSerializer,
        "keys": KeySetSerializer,
    }
    files: ClassVar[dict[str, str]] = {"pdf": "application/pdf"}
    permissions: ClassVar[dict[str, Any]] = {
        "list": [SignedIn],
        "retrieve": [SignedIn],
        "pdf": [SignedIn],
        "verify": [Anybody],
        "keys": [Anybody],
    }
    raises: ClassVar[dict[str, Any]] = {"verify": [services.CertificateNotFound]}
    throttle_scopes: ClassVar[dict[str, str]] = {"verify": "verify"}
    # RFC 7517 says what a key set is.
    bare: ClassVar[frozenset[str]] = frozenset({"keys"})

    def get_object(self) -> Certificate:
        certificate: Certificate = super().get_object()
        if not policies.can_open(self.request.user, student_id=certificate.enrollment.student_id):
            raise NotAllowed
        return certificate

    def pdf(self, request: Request, **_path: Any) -> FileResponse:
        """The certificate as a PDF, to be printed or kept."""
        certificate = self.get_object()
        return FileResponse(
            certificate.pdf.open("rb"),
            as_attachment=True,
            filename=f"certificate-{certificate.code}.pdf",
            content_type="application/pdf",
        )

    def verify(self, request: Request, code: str) -> Response:
        """Whether a certificate with this code exists and stands; for anybody, without an account."""
        return self.respond(services.find_by_code(code=code))

    def keys(self, request: Request) -> Response:
        """The public keys by which anybody can check a certificate's signature, without asking us again."""
        return self.respond(services.verification_keys())


class EnrollmentCertificateViewSet(ContextViewSet):
    """Asking for the certificate of a completed enrollment; it comes by itself, this is the same deed."""

    scope = "certificates"
    queryset = Enrollment.objects.all()
    serializers: ClassVar[dict[str, Any]] = {"request_certificate": CertificationSerializer}
    permissions: ClassVar[dict[str, Any]] = {"request_certificate": [SignedIn]}
    raises: ClassVar[dict[str, Any]] = {"request_certificate": [services.CourseNotCompleted]}
    statuses: ClassVar[dict[str, int]] = {"request_certificate": 202}

    def request_certificate(self, request: Request, pk: UUID) -> Response:
        """Make the certificate, if it is not there yet."""
        enrollment = self.get_object()
        run = services.request_certificate(enrollment_id=enrollment.pk, requested_by=request.user.pk)
        return self.respond(run)
