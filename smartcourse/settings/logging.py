"""How log lines look: one event a line through structlog, JSON for machines or aligned text for people."""

from __future__ import annotations

from typing import Any

import structlog

from smartcourse.observability.redaction import redact_line, redact_secrets


def console_renderer() -> Any:
    """Return what writes lines for people, with plain traces.

    Richer ones show the values of local variables, and take seconds of a processor over it.
    """
    return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)


def logging_settings(*, level: str, as_json: bool) -> dict[str, Any]:
    """Return Django's LOGGING for one handler on standard error, and configure structlog to feed it."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "event": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *_renderers(as_json=as_json),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "event"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            # Every request has its own line from AccessLogMiddleware; Django's would be a second one.
            "django.request": {"level": "CRITICAL", "propagate": True},
            "django.server": {"handlers": [], "propagate": False},
        },
    }


def _renderers(*, as_json: bool) -> list[Any]:
    # What an exception says is searched for secrets like everything else, once it is text.
    if as_json:
        return [structlog.processors.format_exc_info, redact_secrets, structlog.processors.JSONRenderer()]
    return [console_renderer(), redact_line]
