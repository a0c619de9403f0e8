"""The settings that worlds are made with: the installation's own, and passwords that cost nothing to hash.

The web server reads such a hash as any other that it would rather have better, and makes it better at the log-in.
"""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from smartcourse.settings import development

# By name and not by star: of the settings that it imports itself, development offers only some.
vars().update({name: value for name, value in vars(development).items() if name.isupper()})


class CheapHasher(PBKDF2PasswordHasher):
    """Django's own, with one iteration: its result is good for whoever knows the algorithm."""

    iterations = 1


PASSWORD_HASHERS = ["smartcourse.tests.fuzz.settings.CheapHasher"]
