"""Certificates in the back office: all for staff, those of their own courses for instructors."""

from __future__ import annotations

from django.contrib import admin

from certificates import services
from certificates.models import Certificate, CertificateChange
from smartcourse.backoffice.admin import ReadOnlyAdmin, ReadOnlyInline


class CertificateChangeInline(ReadOnlyInline):
    model = CertificateChange
    fields = ("at", "by", "from_status", "to_status", "reason")


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    """Who earned what, and since when."""

    for_instructors = True
    list_display = ("recipient_name", "course_title", "status", "issued_at", "code")
    list_filter = ("status", "issued_at")
    search_fields = ("recipient_name", "course_title", "=code", "enrollment__student__email")
    list_select_related = ("enrollment",)
    fields = (
        "recipient_name", "course_title", "status", "issued_at", "code", "enrollment", "signature_holds", "key_id",
        "signed_payload",
    )  # fmt: skip
    inlines = (CertificateChangeInline,)

    @admin.display(description="Signature holds", boolean=True)
    def signature_holds(self, certificate: Certificate) -> bool | None:
        # Unknown, not false, for a certificate from before there were signatures.
        return services.signature_holds(certificate) if certificate.is_signed else None
