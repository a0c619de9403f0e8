"""Staging: production in every respect, with its docs open to those who test against it."""

from smartcourse.settings.production import *  # noqa: F403 - a settings module is its base plus what differs

DOCS_ARE_PUBLIC = True
SECURE_HSTS_PRELOAD = False
