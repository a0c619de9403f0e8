"""Whether this web server is about to end: it says so where a balancer asks, while it still serves."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings


def marker_of(leader: int) -> Path:
    """Return the file that is there while the web server of that process id is about to end."""
    return Path(settings.DATA_DIR) / f"web-{leader}.draining"


def is_draining() -> bool:
    """Tell whether the server whose worker this process is has been asked to end."""
    return marker_of(os.getppid()).exists()
