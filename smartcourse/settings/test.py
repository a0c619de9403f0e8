"""The settings of the test suite: real servers (see `smartcourse.testing.servers`), cheap passwords."""

from __future__ import annotations

import secrets
import tempfile
from base64 import b64encode
from pathlib import Path

from smartcourse.settings.base import *  # noqa: F403 - a settings module is its base plus what differs
from smartcourse.settings.base import DATABASES, STORAGES
from smartcourse.settings.environment import env

ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PUBLIC_URL = "http://testserver"
SECRET_KEY = secrets.token_urlsafe(64)
JWT_SIGNING_KEY = secrets.token_urlsafe(64)
CERTIFICATE_SIGNING_KEY = b64encode(secrets.token_bytes(32)).decode()
# A process that a test starts beside itself on the same database is given it by the environment.
DATA_ENCRYPTION_KEY = (
    env.str("DATA_ENCRYPTION_KEY", default="") or b64encode(secrets.token_bytes(32)).decode()
)

SECURE_SSL_REDIRECT = False
SESSION_COOKIE_SECURE = False
SESSION_COOKIE_NAME = "sessionid"
CSRF_COOKIE_SECURE = False
CSRF_COOKIE_NAME = "csrftoken"
ACCESS_COOKIE_NAME = "access"
REFRESH_COOKIE_NAME = "refresh"
DEVICE_COOKIE_NAME = "device"
DOCS_ARE_PUBLIC = True
DEMO_ALLOWED = True
# Limits have tests of their own, which switch them on.
RATE_LIMITS_ENABLED = False

# A pool would outlive the test database that it is connected to.
DATABASES["default"]["OPTIONS"].pop("pool")
DATABASES["default"]["CONN_MAX_AGE"] = 0

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
_SCRATCH = Path(tempfile.gettempdir()) / "smartcourse-tests" / secrets.token_hex(8)
DATA_DIR = _SCRATCH / "data"
MEDIA_ROOT = _SCRATCH / "media"
WHITENOISE_AUTOREFRESH = True
STORAGES = STORAGES | {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CELERY_BROKER_URL = "memory://"
# Without a worker: a test that wants the deliveries and processes driven says so (`smartcourse.testing.settle`).
CELERY_TASK_ALWAYS_EAGER = False
