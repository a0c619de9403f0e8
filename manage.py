#!/usr/bin/env python
"""SmartCourse's commands; `manage.py quickstart` brings up the whole."""

from __future__ import annotations

import os
import sys

from smartcourse.embedded.attach import DEVELOPMENT, attach
from smartcourse.embedded.datafolder import EmbeddedError


def main() -> None:
    """Run a command with the servers of the data folder at hand."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", DEVELOPMENT)
    # Imported late: Django reads the environment that `attach` completes.
    from django.core.management import execute_from_command_line

    try:
        with attach(os.environ, sys.argv):
            execute_from_command_line(sys.argv)
    except EmbeddedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
