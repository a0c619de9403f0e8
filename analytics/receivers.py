"""Which fact changes which numbers of its day or hour; each is recomputed, so that hearing twice changes nothing."""

from __future__ import annotations

from datetime import UTC

from analytics.models import MetricName
from analytics.services import recompute_day, recount_failed_run
from enrollments.events import EnrollmentActivated, EnrollmentCompleted
from smartcourse.events.facts import Fact
from smartcourse.events.subscriptions import subscribe
from smartcourse.workflows.events import WorkflowFailed


@subscribe(EnrollmentActivated)
def count_a_new_enrollment(fact: EnrollmentActivated) -> None:
    _recompute(MetricName.NEW_ENROLLMENTS, fact)


@subscribe(EnrollmentCompleted)
def count_a_completion(fact: EnrollmentCompleted) -> None:
    _recompute(MetricName.COMPLETIONS, fact)


@subscribe(WorkflowFailed)
def count_a_failed_process(fact: WorkflowFailed) -> None:
    recount_failed_run(run_id=fact.workflow_id)


def _recompute(name: MetricName, fact: Fact) -> None:
    recompute_day(day=fact.occurred_at.astimezone(UTC).date(), names=[name])
