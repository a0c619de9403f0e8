"""Facts about certificates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class CertificateIssued(Fact):
    """A certificate can be had: its PDF is stored."""

    type: ClassVar[str] = "certificate.issued"
    aggregate: ClassVar[str] = "certificate"

    certificate_id: UUID
    enrollment_id: UUID
    student_id: UUID
    course_title: str
