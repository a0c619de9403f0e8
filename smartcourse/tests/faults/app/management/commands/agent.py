"""`manage.py agent`: does what a test asks for, inside of the installation; one JSON document a line, in and out."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from smartcourse.tests.faults.app import deeds


class Command(BaseCommand):
    help = "Do the deeds (see deeds.py) that are asked for on standard input."

    def handle(self, *args: Any, **options: Any) -> None:
        # Whatever else wants to be written goes to the log, and not between the answers.
        answers, sys.stdout = sys.stdout, sys.stderr
        for line in sys.stdin:
            asked = json.loads(line)
            # The database may have been another one meanwhile, as between two requests.
            close_old_connections()
            try:
                answer = {"answer": getattr(deeds, asked["deed"])(**asked["arguments"])}
            except Exception:  # noqa: BLE001 - told to the test, which fails with it
                answer = {"error": traceback.format_exc()}
            answers.write(json.dumps(answer, default=str) + "\n")
            answers.flush()
