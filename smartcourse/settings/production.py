"""Production: nothing starts without its secrets, its hosts and its address."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from smartcourse.settings.base import *  # noqa: F403 - a settings module is its base plus what differs
from smartcourse.settings.base import CORS_ALLOWED_ORIGINS
from smartcourse.settings.environment import env, key_of_32_bytes, strong_secret

SECRET_KEY = strong_secret("SECRET_KEY")
JWT_SIGNING_KEY = strong_secret("JWT_SIGNING_KEY")
if SECRET_KEY == JWT_SIGNING_KEY:
    raise ImproperlyConfigured("SECRET_KEY and JWT_SIGNING_KEY must differ: each signs for another purpose.")
CERTIFICATE_SIGNING_KEY = key_of_32_bytes("CERTIFICATE_SIGNING_KEY")
DATA_ENCRYPTION_KEY = key_of_32_bytes("DATA_ENCRYPTION_KEY")
if CERTIFICATE_SIGNING_KEY == DATA_ENCRYPTION_KEY:
    raise ImproperlyConfigured(
        "CERTIFICATE_SIGNING_KEY and DATA_ENCRYPTION_KEY must differ: one signs, one encrypts."
    )

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts of this installation, separated by commas.")

PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
if not PUBLIC_URL.startswith("https://"):
    raise ImproperlyConfigured("PUBLIC_URL must be the https:// address of this installation.")

for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL"):
    if not env.str(name, default=""):
        raise ImproperlyConfigured(f"{name} is not set.")

if env.list("WEBHOOKS_ALLOWED_PRIVATE", default=[]):
    raise ImproperlyConfigured(
        "WEBHOOKS_ALLOWED_PRIVATE is for development: here it would let webhooks reach into this network."
    )

if not env.bool("RATE_LIMITS_ENABLED", default=True):
    raise ImproperlyConfigured("RATE_LIMITS_ENABLED is for development: here the limits are always on.")

CSRF_TRUSTED_ORIGINS = [PUBLIC_URL, *CORS_ALLOWED_ORIGINS]
