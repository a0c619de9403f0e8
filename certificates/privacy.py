"""What certificates holds of a person. One that was issued stays as it was printed: whoever was shown it may verify it.

Its words are found by its code alone, which nobody guesses, and which only they have whom the person showed it
(docs/decisions/0018).
"""

from __future__ import annotations

from datetime import datetime

from certificates.models import Certificate, CertificateStatus
from smartcourse.db.personal import Holding, Person, declare

PRINTED = "the words of an issued certificate are frozen, so that it can be verified for as long as somebody shows it"
ANOTHERS = "of another's certificate, whose record it is"
NAMELESS = "leads to a row in which nobody is any more"


def discard_unissued(person: Person, at: datetime) -> None:
    """Delete what was never issued, and nobody was ever shown."""
    unissued = Certificate.objects.filter(enrollment__student=person.id, status=CertificateStatus.PENDING)
    for certificate in unissued:
        if certificate.pdf:
            certificate.pdf.storage.delete(certificate.pdf.name)
    unissued.delete()


declare(
    "certificates",
    Holding(
        model="certificates.Certificate",
        person="enrollment__student",
        told=(
            "id",
            "enrollment",
            "code",
            "status",
            "recipient_name",
            "course_title",
            "issued_at",
            "created_at",
            "updated_at",
            "signed_payload",
            "signature",
            "key_id",
        ),
        files=("pdf",),
        kept=dict.fromkeys(
            (
                "enrollment",
                "code",
                "status",
                "recipient_name",
                "course_title",
                "pdf",
                "signed_payload",
                "signature",
                "key_id",
            ),
            PRINTED,
        ),
    ),
    Holding(
        model="certificates.CertificateChange",
        person="certificate__enrollment__student",
        told=("id", "certificate", "from_status", "to_status", "reason", "at"),
        untold={"by": "who of staff it was"},
        erased={"reason": ""},
        kept=dict.fromkeys(("certificate", "from_status", "to_status"), PRINTED),
    ),
    Holding(
        model="certificates.CertificateChange",
        person="by",
        called="changes_made",
        told=("id", "certificate", "from_status", "to_status", "reason", "at"),
        kept={"by": NAMELESS} | dict.fromkeys(("reason", "from_status", "to_status"), ANOTHERS),
    ),
    erase=discard_unissued,
)
