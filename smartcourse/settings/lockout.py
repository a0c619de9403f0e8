"""Settings of the lockout: how many wrong passwords are one too many, and from where."""

from __future__ import annotations

from datetime import timedelta

LOCKOUT_FAILURES = 5
LOCKOUT_DURATION = timedelta(minutes=15)
"""So many wrong passwords for one account from one place lock that pair, and nothing else, for so long."""
LOCKOUT_ACCOUNT_FAILURES = 10
LOCKOUT_ACCOUNT_MEMORY = timedelta(hours=1)
"""From so many wrong ones for an account from strange places on, without an hour's rest, strange places wait."""
LOCKOUT_LONGEST_DELAY = timedelta(seconds=60)
"""The wait doubles with each failure from a second on, and ends here: so long may an owner on the road be kept."""
KNOWN_PLACE_LIFETIME = timedelta(days=30)
"""Whence somebody signed in stays known for so long, and never waits for what others do."""
DEVICE_COOKIE_NAME = "__Host-device"
DEVICE_COOKIE_LIFETIME = timedelta(days=180)
