"""Real course content to test against: made by other tools, with everything real content has wrong with it."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings


def real_cartridge() -> Path:
    """A real Canvas export, "Ally: Accessibility Workshop"; its folder is `SMARTCOURSE_CONTENT`, if that is set."""
    folder = os.environ.get("SMARTCOURSE_CONTENT") or Path(settings.BASE_DIR).parent / "shared" / "content"
    return Path(folder) / "allyworkshop.imscc"
