"""What the OpenAPI document says of itself."""

from typing import Any

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "SmartCourse API",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "The REST API of SmartCourse, a learning management system. Errors are "
        "`application/problem+json` (RFC 9457) with a stable `code`; every answer carries `X-Request-Id`."
    ),
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "CONTACT": {"name": "SmartCourse contributors"},
    "SERVERS": [{"url": "/", "description": "The installation that this document comes from"}],
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["smartcourse.api.permissions.DocumentationReader"],
    # Outside of development the docs are for staff, who come with the session of the admin, or with a token.
    # The token comes first: what it challenges with makes a stranger's answer a 401, where a session's is a 403.
    "SERVE_AUTHENTICATION": [
        "accounts.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "smartcourse.api.envelope.envelope_schema",
        "smartcourse.api.document.complete",
    ],
    "ENUM_NAME_OVERRIDES": {
        "CourseStatus": "courses.models.CourseStatus",
        "CourseLevel": "courses.models.CourseLevel",
        "LessonType": "courses.models.LessonType",
        "ContentFormat": "courses.models.ContentFormat",
        "QuestionKind": "courses.models.QuestionKind",
        "EnrollmentStatus": "enrollments.models.EnrollmentStatus",
        "LessonStatus": "progress.models.LessonStatus",
        "CertificateStatus": "certificates.models.CertificateStatus",
        "RunStatus": "smartcourse.workflows.models.RunStatus",
        "StepStatus": "smartcourse.workflows.models.StepStatus",
        "NotificationType": "notifications.models.MessageType",
        "WebhookStatus": "smartcourse.webhooks.models.EndpointStatus",
        "WebhookDeliveryStatus": "smartcourse.webhooks.models.DeliveryStatus",
        "ReadinessStatus": ["ok", "degraded", "draining", "unavailable"],
        "GrantType": ["password"],
        "CookieTokenType": ["Cookie"],
        "ApplicationStatus": "accounts.models.ApplicationStatus",
        "PrivacyRequestStatus": "accounts.models.PrivacyRequestStatus",
        "Role": "accounts.models.Role",
        "MfaMethod": "accounts.models.Method",
        "MfaFactor": "accounts.models.FACTORS",
        "ApiKeyScope": "accounts.models.ApiKeyScope",
    },
}
