"""Settings of an installation that faults happen to: development's, with an app whose subscribers keep count."""

from __future__ import annotations

import os
import select
import time

from smartcourse.settings import development
from smartcourse.settings.environment import env

# By name and not by star: of the settings that it imports itself, development offers only some.
vars().update({name: value for name, value in vars(development).items() if name.isupper()})
# Behind `smartcourse`, which registers the processes: their steps are wrapped where they were defined.
INSTALLED_APPS = [*vars(development)["INSTALLED_APPS"], "smartcourse.tests.faults.app"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
RATE_LIMITS_ENABLED = env.bool("RATE_LIMITS_ENABLED", default=False)

if "FAKETIME" in os.environ:
    # libfaketime 0.9.10 moves the moment at which a sleep is to end even in the clock that it is told to leave alone
    # (`clock_nanosleep`, TIMER_ABSTIME), so that the kernel refuses it. Waiting for nothing has no such moment.
    time.sleep = lambda seconds: select.select([], [], [], seconds) and None
