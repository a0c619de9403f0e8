"""Settings of exports and erasures."""

from __future__ import annotations

from datetime import timedelta

from smartcourse.settings.environment import at_least

EXPORT_KEPT = timedelta(days=at_least(1, "EXPORT_KEEP_DAYS", default=7))
"""An export is deleted after this."""
EXPORT_LINK_LIFETIME = timedelta(minutes=5)
"""How long the link to an export works, which asks for no log-in."""
ERASURE_GRACE = timedelta(days=at_least(0, "ERASURE_GRACE_DAYS", default=14))
"""Who asks to be erased may think again for so long (the law allows a month for the answer)."""
