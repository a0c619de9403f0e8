"""Settings of getting back in: how long the links in our mails work, and how many mails somebody may cause."""

from __future__ import annotations

from datetime import timedelta

PASSWORD_RESET_TIMEOUT = int(timedelta(hours=1).total_seconds())
"""Seconds that the link to a new password works; Django's own setting, for Django's own tokens."""
EMAIL_CHANGE_LIFETIME = timedelta(hours=24)
"""How long the link to another address works."""
RECOVERY_MAILS_AN_HOUR = 5
"""So many mails of a kind an account gets by asking; what is asked for beyond that is answered alike, and not sent."""
MAIL_REQUESTS_KEPT = timedelta(days=1)
MAIL_REQUEST_PATIENCE = timedelta(seconds=30)
"""After so long a request that no worker has looked at is taken up by the sweeper."""
