"""How processes are doing, as operators read it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from smartcourse.observability.readings import Family
from smartcourse.workflows.definitions import all_processes
from smartcourse.workflows.models import LIVE

_RUNS = """
    SELECT process, status, count(*) FROM workflows_run
    WHERE status IN ('QUEUED', 'RUNNING', 'WAITING', 'COMPENSATING') GROUP BY 1, 2
    UNION ALL
    SELECT process, status, count(*) FROM workflows_run WHERE status = 'FAILED' GROUP BY 1, 2
"""


def read() -> Iterator[Family]:
    """Read how many runs of each process are under way, and how many ever failed; also where there are none."""
    with connection.cursor() as cursor:
        cursor.execute(_RUNS)
        found = {(process, status): count for process, status, count in cursor.fetchall()}
    processes = sorted({*(process.name for process in all_processes()), *(process for process, _ in found)})
    yield Family(
        "smartcourse_workflow_runs", "Runs of processes that have not ended.",
        [((name, str(status)), found.get((name, str(status)), 0)) for name in processes for status in LIVE],
        labels=("process", "status"),
    )  # fmt: skip
    yield Family(
        "smartcourse_workflow_failures", "Runs of processes that failed.",
        [((name,), found.get((name, "FAILED"), 0)) for name in processes], labels=("process",), kind="counter",
    )  # fmt: skip
