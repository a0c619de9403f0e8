from typing import Any

from django.apps import AppConfig
from django.db import ProgrammingError
from django.db.models.signals import post_migrate

from smartcourse.observability.readings import provide


class QueuesConfig(AppConfig):
    name = "smartcourse.queues"
    label = "queues"

    def ready(self) -> None:
        # Every process that sends or does tasks needs the Celery application as the current one.
        import smartcourse.celery  # noqa: F401
        from smartcourse.queues import connections, dead_letters, metrics  # noqa: F401 - the first two hear of tasks

        provide("database", metrics.read_dead_letters)
        provide("broker", metrics.read_depths)
        post_migrate.connect(_seed_schedule, sender=self)


def _seed_schedule(**_: Any) -> None:
    from smartcourse.queues.schedule import seed_schedule

    try:
        seed_schedule()
    except ProgrammingError:
        # Only some apps were migrated, and the tables of the schedule are not among them; beat seeds it too.
        return
