"""The shapes of certificates."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from certificates.models import Certificate, CertificateStatus
from certificates.services import verify_url
from courses.api.serializers import CourseBrief
from smartcourse.workflows.models import RunStatus


class CertificateSerializer(serializers.ModelSerializer[Certificate]):
    """A certificate as its owner has it."""

    course = CourseBrief(source="enrollment.course")
    pdf_url = serializers.SerializerMethodField()
    verify_url = serializers.SerializerMethodField()

    class Meta:
        model = Certificate
        fields = ["id", "code", "status", "issued_at", "course", "recipient_name", "pdf_url", "verify_url"]
        read_only_fields = fields

    def get_pdf_url(self, certificate: Certificate) -> str:
        return reverse("certificate-pdf", kwargs={"pk": certificate.pk}, request=self.context["request"])

    def get_verify_url(self, certificate: Certificate) -> str:
        return verify_url(certificate.code)


class VerificationSerializer(serializers.Serializer[Any]):
    """What anybody may know of a certificate."""

    valid = serializers.BooleanField(source="is_valid")
    status = serializers.ChoiceField(choices=CertificateStatus.choices)
    recipient_name = serializers.CharField()
    course_title = serializers.CharField()
    issued_at = serializers.DateTimeField()


class CertificationSerializer(serializers.Serializer[Any]):
    """The process that makes the certificate."""

    workflow_id = serializers.UUIDField(source="pk")
    status = serializers.ChoiceField(choices=RunStatus.choices)
