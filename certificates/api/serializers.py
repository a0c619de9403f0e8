"""The shapes of certificates."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from certificates.models import Certificate, CertificateStatus
from certificates.services import signature_of, verify_url
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


class SignatureSerializer(serializers.Serializer[Any]):
    """What was signed, to the letter, and the Ed25519 signature of its UTF-8 bytes (base64url)."""

    key_id = serializers.CharField(help_text="The `kid` of a key at /certificates/keys.")
    value = serializers.CharField()
    payload = serializers.CharField(help_text="Canonical JSON (RFC 8785).")


class VerificationSerializer(serializers.Serializer[Any]):
    """What anybody may know of a certificate."""

    valid = serializers.BooleanField(source="is_valid")
    status = serializers.ChoiceField(choices=CertificateStatus.choices)
    recipient_name = serializers.CharField()
    course_title = serializers.CharField()
    issued_at = serializers.DateTimeField()
    signature = serializers.SerializerMethodField()

    @extend_schema_field(SignatureSerializer(allow_null=True))
    def get_signature(self, certificate: Certificate) -> Any:
        signature = signature_of(certificate)
        return SignatureSerializer(signature).data if signature else None


class KeySerializer(serializers.Serializer[Any]):
    """A public key (RFC 8037)."""

    kty = serializers.CharField()
    crv = serializers.CharField()
    alg = serializers.CharField()
    use = serializers.CharField()
    kid = serializers.CharField()
    x = serializers.CharField()


class KeySetSerializer(serializers.Serializer[Any]):
    """The keys that certificates are and were signed with (RFC 7517)."""

    keys = KeySerializer(many=True)


class CertificationSerializer(serializers.Serializer[Any]):
    """The process that makes the certificate."""

    workflow_id = serializers.UUIDField(source="pk")
    status = serializers.ChoiceField(choices=RunStatus.choices)
