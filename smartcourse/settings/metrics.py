"""Settings of what operators read at /metrics; without a word about it, nobody may read it."""

from __future__ import annotations

from smartcourse.settings.environment import env, metrics_token, networks_named

METRICS_TOKEN = metrics_token("METRICS_TOKEN")
"""Whoever sends it as a bearer token reads the numbers; empty: nobody does by a token."""
METRICS_NETWORKS = networks_named("METRICS_NETWORKS")
"""Networks whose machines read the numbers without a token, where they connect straight to the web server."""
SMARTCOURSE_VERSION = env.str("SMARTCOURSE_VERSION", default="") or "unknown"
"""The release that runs, as its image is tagged."""
