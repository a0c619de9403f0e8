"""Facts about reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class ReportCompleted(Fact):
    """A report can be fetched by who asked for it (nobody, where a schedule or the command line did)."""

    type: ClassVar[str] = "report.completed"
    aggregate: ClassVar[str] = "report"
    planned: ClassVar[bool] = True

    report_id: UUID
    requester_id: UUID | None
    report_type: str
    file_format: str
