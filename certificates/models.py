"""What was earned."""

from __future__ import annotations

import secrets
from typing import Any, Self

from django.conf import settings
from django.db import models

from accounts.models import Role
from enrollments.models import Enrollment
from smartcourse.db.models import Entity

# Crockford's base 32: no I, L, O, U, so that a code can be read out and typed from paper. 26 characters are 130 bits.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 26


def new_code() -> str:
    """Return an unguessable certificate code."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


class CertificateStatus(models.TextChoices):
    PENDING = "PENDING"
    ISSUED = "ISSUED"
    REVOKED = "REVOKED"


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def obtainable(self) -> Self:
        """Certificates whose PDF exists."""
        return self.exclude(status=CertificateStatus.PENDING)

    def of(self, user: Any) -> Self:
        """A person's own certificates."""
        return self.filter(enrollment__student=user.pk)

    def visible_to(self, user: Any) -> Self:
        """One's own, those of one's courses for an instructor, all for staff."""
        if user.is_staff:
            return self
        own = models.Q(enrollment__student=user.pk)
        # Who is no instructor any more has no say over the courses she once taught.
        taught = models.Q(enrollment__course__instructor=user.pk)
        return self.filter(own | taught if user.has_role(Role.INSTRUCTOR) else own)


class Certificate(Entity):
    """That a person finished a course, in words frozen when it was made; one per enrollment, whatever happens."""

    enrollment = models.OneToOneField(Enrollment, on_delete=models.PROTECT, related_name="certificate")
    code = models.CharField(max_length=CODE_LENGTH, unique=True, default=new_code, editable=False)
    status = models.CharField(
        max_length=10, choices=CertificateStatus.choices, default=CertificateStatus.PENDING
    )
    recipient_name = models.CharField(max_length=255)
    course_title = models.CharField(max_length=255)
    issued_at = models.DateTimeField(help_text="When the course was completed.")
    pdf = models.FileField(upload_to="certificates/%Y/%m/", blank=True)
    signed_payload = models.TextField(
        blank=True, editable=False, help_text="What was signed, to the letter (see `certificates.signing`)."
    )
    signature = models.CharField(max_length=86, blank=True, editable=False, help_text="Ed25519, base64url.")
    key_id = models.CharField(max_length=43, blank=True, editable=False)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status=CertificateStatus.PENDING) | ~models.Q(pdf=""),
                name="an_issued_certificate_has_its_pdf",
            ),
            # None of the three says anything without the others.
            models.CheckConstraint(
                condition=models.Q(signed_payload="", signature="", key_id="")
                | ~(models.Q(signed_payload="") | models.Q(signature="") | models.Q(key_id="")),
                name="a_signature_comes_with_its_payload_and_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_name}: {self.course_title}"

    def issue(self) -> None:
        """From now on it can be had and verified."""
        self.status = CertificateStatus.ISSUED
        self.save(update_fields=["status", "updated_at"])

    def keep_signature(self, *, payload: str, signature: str, key_id: str) -> None:
        """From now on anybody can check its words, without asking us."""
        self.signed_payload, self.signature, self.key_id = payload, signature, key_id
        self.save(update_fields=["signed_payload", "signature", "key_id", "updated_at"])

    @property
    def is_signed(self) -> bool:
        """Whether its words can be checked without us; certificates from before there were signatures cannot."""
        return bool(self.signature)

    @property
    def is_valid(self) -> bool:
        """Whether it stands: issued, and not revoked."""
        return self.status == CertificateStatus.ISSUED


class CertificateChange(models.Model):
    """One change of a certificate's status: who, when, from, to, why."""

    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="history")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10, choices=CertificateStatus.choices)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.from_status or 'nothing'} to {self.to_status}"
