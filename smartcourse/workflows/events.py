"""Facts about processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class WorkflowFailed(Fact):
    """A process gave up: its retries ended, or a rule refused it; what it had done was undone."""

    type: ClassVar[str] = "workflow.failed"
    aggregate: ClassVar[str] = "workflow"

    workflow_id: UUID
    process: str
    subject_id: UUID
    error_code: str
    error: str


@dataclass(frozen=True, kw_only=True)
class WorkflowStalled(Fact):
    """What a failed process had done cannot be undone for now; it is tried again and again, and a person must look."""

    type: ClassVar[str] = "workflow.stalled"
    aggregate: ClassVar[str] = "workflow"

    workflow_id: UUID
    process: str
    subject_id: UUID
    error: str
