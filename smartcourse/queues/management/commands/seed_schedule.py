"""`manage.py seed_schedule`: write the jobs of a release into beat's schedule."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from smartcourse.queues.schedule import seed_schedule


class Command(BaseCommand):
    help = "Create the scheduled jobs that are missing; what staff changed stays. (`migrate` does it too.)"

    def handle(self, *args: Any, **options: Any) -> None:
        written = seed_schedule()
        self.stdout.write(
            "\n".join(f"Written: {name}" for name in written) or "The schedule holds every job already."
        )
