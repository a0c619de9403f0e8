"""Settings of an installation that faults happen to: development's, with an app whose subscribers keep count."""

from __future__ import annotations

from smartcourse.settings import development
from smartcourse.settings.environment import env

# By name and not by star: of the settings that it imports itself, development offers only some.
vars().update({name: value for name, value in vars(development).items() if name.isupper()})
# Behind `smartcourse`, which registers the processes: their steps are wrapped where they were defined.
INSTALLED_APPS = [*vars(development)["INSTALLED_APPS"], "smartcourse.tests.faults.app"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
RATE_LIMITS_ENABLED = env.bool("RATE_LIMITS_ENABLED", default=False)
