"""Settings common to every environment, safe for production; the other modules only loosen or complete them."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import django_stubs_ext

from smartcourse.settings.celery import *  # noqa: F403 - the part of these settings that is about tasks
from smartcourse.settings.environment import at_least, env, former_keys, jwt_keys, verification_keys
from smartcourse.settings.kafka import *  # noqa: F403 - the part about facts for other systems
from smartcourse.settings.lockout import *  # noqa: F403 - the part about guessing passwords
from smartcourse.settings.logging import logging_settings
from smartcourse.settings.metrics import *  # noqa: F403 - the part about what operators read
from smartcourse.settings.patience import *  # noqa: F403 - and the part about waiting
from smartcourse.settings.privacy import *  # noqa: F403 - the part about exports and erasures
from smartcourse.settings.recovery import *  # noqa: F403 - the part about getting back in
from smartcourse.settings.schema import SPECTACULAR_SETTINGS  # noqa: F401 - a setting, read by drf-spectacular
from smartcourse.settings.second_factors import *  # noqa: F403 - the part about a second proof

# Django's generic classes take their type arguments at run time too (`ModelAdmin[Course]`).
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = Path(env.str("SMARTCOURSE_DATA", default=str(BASE_DIR / ".smartcourse"))).absolute()

DEBUG = False
ALLOWED_HOSTS: list[str] = []
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
"""Where people reach this installation; links in mails and certificates start with it."""

# The installation

INSTALLED_APPS = [
    "smartcourse.backoffice.apps.AdminSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "csp",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "smartcourse.observability",
    "smartcourse.backoffice.apps.BackofficeConfig",
    "smartcourse.api",
    "smartcourse.queues",
    "smartcourse.events",
    "smartcourse.workflows",
    "accounts",
    "courses",
    "enrollments",
    "progress",
    "certificates",
    "notifications",
    "analytics",
    "smartcourse.webhooks",
    # Last: it registers the processes, which stand above every context.
    "smartcourse",
]

MIDDLEWARE = [
    # First: it measures all that comes, and answers who scrapes by a container's address, which is none of our hosts.
    "smartcourse.observability.middleware.MetricsMiddleware",
    "smartcourse.observability.middleware.RequestIdMiddleware",
    "smartcourse.observability.middleware.AccessLogMiddleware",
    "smartcourse.observability.middleware.DrainingMiddleware",
    # Headers first: they are on whatever answers below, redirects, static files and refusals among it.
    "smartcourse.api.middleware.PermissionsPolicyMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "smartcourse.api.middleware.RateLimitHeadersMiddleware",
    "smartcourse.api.middleware.ProblemMiddleware",
    "smartcourse.api.middleware.TextSanityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "smartcourse.urls"
WSGI_APPLICATION = "smartcourse.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# PostgreSQL

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.db_url("DATABASE_URL", default="postgres:///smartcourse"),
        "ENGINE": "django.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "smartcourse",
            # A server that does not even refuse: its machine is gone.
            "connect_timeout": 5,
            "options": f"-c statement_timeout={at_least(0, 'DATABASE_STATEMENT_TIMEOUT_MS', default=30_000)}",
            # A new connection a request costs a factor of six; a pool keeps them, and replaces them after 30 minutes.
            "pool": {
                "min_size": at_least(1, "DATABASE_POOL_MIN", default=1),
                "max_size": at_least(1, "DATABASE_POOL_MAX", default=20),
                "max_lifetime": 30 * 60,
                # A restart is ridden out by waiting; who waits longer keeps a thread from others.
                "timeout": 5,
                # Tries to connect come ever later, and after this begin anew: so a database that was away for long is
                # found within seconds.
                "reconnect_timeout": 5,
            },
        },
    }
}

# Redis or Valkey: cache, limits, and the broker where no other is named

REDIS_URL = env.str("REDIS_URL", default="")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "smartcourse.db.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "smartcourse",
        "OPTIONS": {
            # The default pool opens connections without end; and a server that is silent is passed by after a second.
            "pool_class": "redis.BlockingConnectionPool",
            "max_connections": 32,
            "timeout": 1,
            "socket_timeout": 1,
            "socket_connect_timeout": 1,
        },
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# Who

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.GuardedBackend"]
# Where the log-in of the back office leads whose `next` was none of our own addresses, or none at all.
LOGIN_REDIRECT_URL = "admin:index"
PASSWORD_HASHERS = [
    # SHA-256 before bcrypt, so that nothing of a passphrase is cut at 72 bytes; cost 12 is Django's own default.
    "accounts.hashing.CappedBCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
     "OPTIONS": {"user_attributes": ("email", "full_name")}},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]  # fmt: skip
JWT_PREVIOUS_KEYS = jwt_keys("JWT_PREVIOUS_KEYS")
"""Keys that JWT_SIGNING_KEY has replaced: what they signed is good until it expires, or the key is taken away."""
JWT_ISSUER = "smartcourse"
JWT_AUDIENCE = "smartcourse-api"
ACCESS_TOKEN_LIFETIME = timedelta(minutes=15)
REFRESH_TOKEN_LIFETIME = timedelta(days=30)
REFRESH_REUSE_GRACE = timedelta(seconds=10)
ENDED_SESSION_KEPT = timedelta(days=30)
"""An ended session is shown to staff for so long; then it goes, with all its refresh tokens."""
ACCESS_COOKIE_NAME = "__Host-access"
REFRESH_COOKIE_NAME = "__Host-refresh"
COOKIES_FOR_BROWSERS = True
"""Whether a browser that does not say how it wants its tokens gets them in cookies, where no script can read them."""
EMAIL_VERIFICATION_LIFETIME = timedelta(days=3)
MATERIAL_LINK_LIFETIME = timedelta(minutes=5)

# The API

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # First, since it knows its tokens by sight, and leaves all others to the next.
        "accounts.api.key_authentication.ApiKeyAuthentication",
        "accounts.api.authentication.BearerAuthentication",
        # Last: a browser sends its cookie whether it is meant or not.
        "accounts.api.authentication.CookieAuthentication",
    ],
    # An action without declared permissions is refused.
    "DEFAULT_PERMISSION_CLASSES": ["smartcourse.api.permissions.Nobody"],
    "DEFAULT_THROTTLE_CLASSES": ["smartcourse.api.throttling.TokenBucketThrottle"],
    "DEFAULT_PARSER_CLASSES": ["smartcourse.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["smartcourse.api.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "smartcourse.api.schema.ContextSchema",
    "DEFAULT_PAGINATION_CLASS": "smartcourse.api.pagination.PagePagination",
    "DEFAULT_FILTER_BACKENDS": ["smartcourse.api.filtering.StrictFilterBackend"],
    "EXCEPTION_HANDLER": "smartcourse.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_ENVELOPE = env.bool("API_ENVELOPE", default=False)
"""Whether successes come as `{success, data, message}`; the schema then says so."""
RATE_LIMITS_ENABLED = True
RATE_LIMITS = {
    "default": (100, 60),
    "auth": (60, 60),
    "assignments": (60, 60),
    "uploads": (100, 3600),
    "verify": (30, 60),
}
"""Scope to (requests, seconds): what a bucket holds and how long it takes to fill again."""

# The edge

TRUSTED_PROXY_COUNT = at_least(0, "TRUSTED_PROXY_COUNT", default=0)
"""How many proxies of ours stand before the web server and append to X-Forwarded-For."""
SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# The health checks of a container ask from inside, over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^api/v1/(health|ready)$"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrftoken"
CSRF_FAILURE_VIEW = "smartcourse.api.problems.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-auth-transport",
    "x-csrftoken",
    "x-request-id",
]
CORS_ALLOW_CREDENTIALS = True
CSRF_TRUSTED_ORIGINS = [*CORS_ALLOWED_ORIGINS]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "X-Request-Id",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Retry-After",
]
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone",
        "midi", "payment", "usb",
    )
)  # fmt: skip
"""What no page of ours asks a browser for."""
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        # Nothing but what is named below: no inline script or style, no eval, nobody else's server.
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DOCS_ARE_PUBLIC = False
"""Schema and docs: for everyone in development, for staff elsewhere."""
DEMO_ALLOWED = False
"""Whether `seed_demo` may make accounts whose passwords it prints."""

# Outgoing webhooks

WEBHOOKS_HTTPS_ONLY = True
WEBHOOKS_ALLOWED_PRIVATE: list[str] = []
"""Networks that are not public and may be called all the same (`127.0.0.1/32`); for development and tests only."""
WEBHOOKS_IN_FLIGHT = at_least(1, "WEBHOOKS_IN_FLIGHT", default=2)
"""How many attempts at one endpoint may be under way at once."""

# Files: local folders, or S3 where a bucket is named

MEDIA_ROOT = DATA_DIR / "media"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
S3_BUCKET = env.str("AWS_STORAGE_BUCKET_NAME", default="")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("AWS_S3_ENDPOINT_URL", default=None),
            "querystring_auth": True,
            "querystring_expire": int(MATERIAL_LINK_LIFETIME.total_seconds()),
            "default_acl": "private",
            "file_overwrite": False,
        },
    }
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Mail

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="SmartCourse <no-reply@smartcourse.example>")
vars().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))
EMAIL_TIMEOUT = 10
MAIL_DOMAIN = parseaddr(DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
"""The right side of the Message-ID of our mails."""
ISSUER_NAME = env.str("ISSUER_NAME", default="SmartCourse")
"""Who gives the certificates, as printed on them."""
CERTIFICATE_SIGNING_KEY = ""
"""The Ed25519 seed (32 bytes in base64) that certificates are signed with; each environment has its own."""
CERTIFICATE_VERIFY_KEYS = verification_keys("CERTIFICATE_VERIFY_KEYS")
"""Public keys that signed earlier certificates: they stay in the key set after the signing key was replaced."""

DATA_ENCRYPTION_KEY = ""
"""What encrypts personal data and secrets in the database (AES-256, 32 bytes in base64), one an environment."""
DATA_ENCRYPTION_PREVIOUS_KEYS = former_keys("DATA_ENCRYPTION_PREVIOUS_KEYS")
"""Keys that it has replaced: they open what they sealed until `rotate_encryption_key` was run."""

LOGGING = logging_settings(level=env.str("LOG_LEVEL", default="INFO"), as_json=True)
