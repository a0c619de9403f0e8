"""Development and quickstart: local servers, files for mails, secrets made once in the data folder."""

from __future__ import annotations

import hashlib
from base64 import b64encode

from smartcourse.embedded.datafolder import local_secret
from smartcourse.settings.base import *  # noqa: F403 - a settings module is its base plus what differs
from smartcourse.settings.base import (
    BASE_DIR,
    CONTENT_SECURITY_POLICY,
    DATA_DIR,
    METRICS_NETWORKS,
    STORAGES,
)
from smartcourse.settings.environment import env, jwt_keys, key_of_32_bytes
from smartcourse.settings.logging import logging_settings

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
SECRET_KEY = env.str("SECRET_KEY", default="") or local_secret(DATA_DIR, "secret_key")
JWT_SIGNING_KEY = "".join(jwt_keys("JWT_SIGNING_KEY")) or local_secret(DATA_DIR, "jwt_signing_key")


def _local_key(name: str) -> str:
    """Return the key of that name, 32 bytes in base64: from the environment, else one that the data folder keeps."""
    if env.str(name, default=""):
        return key_of_32_bytes(name)
    return b64encode(hashlib.sha256(local_secret(DATA_DIR, name.lower()).encode()).digest()).decode()


CERTIFICATE_SIGNING_KEY = _local_key("CERTIFICATE_SIGNING_KEY")
DATA_ENCRYPTION_KEY = _local_key("DATA_ENCRYPTION_KEY")

SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 0
SESSION_COOKIE_SECURE = False
SESSION_COOKIE_NAME = "sessionid"
CSRF_COOKIE_SECURE = False
CSRF_COOKIE_NAME = "csrftoken"
ACCESS_COOKIE_NAME = "access"
REFRESH_COOKIE_NAME = "refresh"
COOKIES_FOR_BROWSERS = False
DEVICE_COOKIE_NAME = "device"
CORS_ALLOWED_ORIGIN_REGEXES = [r"^http://(localhost|127\.0\.0\.1):\d+$"]

# A receiver that is being written runs on this machine, without TLS.
WEBHOOKS_HTTPS_ONLY = False
WEBHOOKS_ALLOWED_PRIVATE = env.list("WEBHOOKS_ALLOWED_PRIVATE", default=[])

# Whoever sits at this machine reads its numbers; METRICS_NETWORKS names others.
METRICS_NETWORKS = METRICS_NETWORKS or ["127.0.0.0/8", "::1/128"]

DOCS_ARE_PUBLIC = True
DEMO_ALLOWED = True
RATE_LIMITS_ENABLED = env.bool("RATE_LIMITS_ENABLED", default=True)

# Static files straight from the packages: nothing to collect before the first page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

EMAIL_FILE_PATH = str(DATA_DIR / "mail")
if not env.str("EMAIL_URL", default=""):
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"

LOGGING = logging_settings(level=env.str("LOG_LEVEL", default="INFO"), as_json=False)

__all__ = ["BASE_DIR", "CONTENT_SECURITY_POLICY", "DATA_DIR"]
