"""What a worker does with its connections between tasks: keep them, as a web process does between requests."""

from __future__ import annotations

from typing import Any

from celery.signals import task_postrun, task_prerun
from django.db import close_old_connections


# Celery would close the whole pool before and after every task, and open it again (celery issue 10554): most of what
# a short task costs. With CELERY_DB_REUSE_MAX it leaves connections alone, and they are looked after here.
@task_prerun.connect
@task_postrun.connect
def look_after_connections(task: Any = None, **_: Any) -> None:
    """Give the connection back to its pool, which checks it before it is taken again; leave a caller's own alone."""
    if not task.request.is_eager:
        close_old_connections()
