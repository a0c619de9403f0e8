"""Settings of second factors: whether there are any, for whom they are a must, and how long what opens a door works."""

from __future__ import annotations

from datetime import timedelta

from smartcourse.settings.environment import env

MFA_ENABLED = env.bool("MFA_ENABLED", default=True)
"""Whether a second factor is asked for and can be set up; off, a password alone signs anybody in."""
MFA_REQUIRED_FOR_STAFF = env.bool("MFA_REQUIRED_FOR_STAFF", default=False)
"""Whether staff and administrators must have one before anything but setting it up is open to them."""
MFA_TOKEN_LIFETIME = timedelta(minutes=5)
"""How long a right password waits for its second factor."""
MFA_ENROLLMENT_LIFETIME = timedelta(minutes=15)
"""How long it waits on the page that sets the first one up, which may begin with finding an app."""
MAILED_CODE_LIFETIME = timedelta(minutes=10)
MAILED_CODES_AN_HOUR = 5
RECOVERY_CODES = 10
"""How many recovery codes a set has."""
SIGN_IN_REMAINS_KEPT = timedelta(days=1)
"""Right passwords that wait, and mailed codes, are kept for so long: the latter are counted."""
MFA_ISSUER = env.str("MFA_ISSUER", default="SmartCourse")
"""What an authenticator app calls this installation."""
