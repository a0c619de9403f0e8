"""Problem details (RFC 9457): the one place where a kind of error gets its HTTP status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import structlog
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from redis.exceptions import RedisError
from rest_framework import exceptions as drf
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from smartcourse import errors
from smartcourse.observability.context import current_request_id

API_PREFIX = "/api/"
CONTENT_TYPE = "application/problem+json"
STATUS_OF_KIND: dict[type[errors.DomainError], int] = {
    errors.Invalid: 400,
    errors.Unacceptable: 422,
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.RuleViolated: 422,
    errors.TooManyRequests: 429,
    errors.Unavailable: 503,
}
TITLES = {
    400: "Bad request", 401: "Not authenticated", 403: "Forbidden", 404: "Not found", 405: "Method not allowed",
    406: "Not acceptable", 409: "Conflict", 412: "Precondition failed", 413: "Content too large",
    415: "Unsupported media type", 422: "Rule violated", 428: "Precondition required", 429: "Too many requests",
    500: "Internal error", 503: "Service unavailable",
}  # fmt: skip

# Seconds, within which what was restarted has mostly come back.
RETRY_AFTER_OUTAGE = "5"

log = structlog.get_logger(__name__)


def status_of(error: errors.DomainError | type[errors.DomainError]) -> int:
    """Return the HTTP status of a domain error, or of a class of them."""
    kind = error if isinstance(error, type) else type(error)
    return next((status for cls in kind.__mro__ if (status := STATUS_OF_KIND.get(cls))), 500)


def problem(status: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """Return the members of a problem document; `extra` may hold `errors` and facts a client may act on."""
    return {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": current_request_id(),
        **extra,
    }


def problem_response(status: int, code: str, detail: str, **extra: Any) -> HttpResponse:
    """Return a problem document outside of DRF (middleware, Django's own handlers)."""
    return HttpResponse(
        json.dumps(problem(status, code, detail, **extra)), status=status, content_type=CONTENT_TYPE
    )


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer every exception of a view as a problem document (DRF's EXCEPTION_HANDLER)."""
    translated = _translate(error)
    if translated is None:
        return None
    status, body, headers = translated
    # Whatever was asked for (a page, YAML), a problem is JSON.
    request = context["request"]
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


Translated = tuple[int, dict[str, Any], dict[str, str]]


def _translate(error: Exception) -> Translated | None:
    match error:
        case errors.DomainError():
            return _of_domain(error)
        case drf.ValidationError():
            return _invalid(list(_field_errors(error.detail, "")))
        case drf.APIException():
            return _of_framework(error)
        case OperationalError() | InterfaceError() | RedisError():
            log.error("a server does not answer", exc_info=error)
            return _of_domain(errors.Unavailable())
    return _of_django(error)


def _of_django(error: Exception) -> Translated | None:
    match error:
        case Http404():
            return _of_domain(errors.NotFound())
        case PermissionDenied():
            return _of_domain(errors.NotAllowed())
        case DjangoValidationError():
            return _invalid(
                [
                    {"field": "", "code": e.code or "invalid", "detail": "; ".join(e.messages)}
                    for e in error.error_list
                ]
            )
        case RequestDataTooBig():
            return 413, problem(413, "too_large", "The body is too large."), {}
        case SuspiciousOperation() | BadRequest():
            # A form of a thousand fields, a foreign host: Django raises these wherever a request is first read.
            return 400, problem(400, "malformed", "The request is malformed."), {}
    return None


def _invalid(rows: list[dict[str, str]]) -> Translated:
    return 400, problem(400, errors.Invalid.code, errors.Invalid.message, errors=rows), {}


def _of_domain(error: errors.DomainError) -> Translated:
    status, extra, headers = status_of(error), dict(error.extra), {}
    if isinstance(error, errors.Invalid) and error.errors:
        extra["errors"] = [
            {"field": _sayable(e.field), "code": e.code, "detail": e.detail} for e in error.errors
        ]
    if isinstance(error, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, errors.Unavailable):
        headers["Retry-After"] = RETRY_AFTER_OUTAGE
    elif error.transient:
        headers["Retry-After"] = "1"
    return status, problem(status, error.code, error.detail, **extra), headers


FRAMEWORK_CODES = {
    drf.NotAuthenticated: "not_authenticated",
    drf.AuthenticationFailed: "invalid_credentials",
    drf.PermissionDenied: "insufficient_permissions",
    drf.ParseError: "malformed",
    drf.Throttled: "rate_limited",
}


def _of_framework(error: drf.APIException) -> Translated:
    headers: dict[str, str] = {}
    code = FRAMEWORK_CODES.get(type(error), str(error.default_code))
    if isinstance(error, drf.NotAuthenticated | drf.AuthenticationFailed):
        headers["WWW-Authenticate"] = "Bearer"
    wait = getattr(error, "wait", None)
    if isinstance(error, drf.Throttled) and wait is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    return error.status_code, problem(error.status_code, code, _sayable(str(error.detail))), headers


def _field_errors(detail: Any, path: str) -> Iterator[dict[str, str]]:
    """Flatten DRF's nested error detail into rows of dotted field, code, sentence."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            yield from _field_errors(inner, own)
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _field_errors(inner, f"{path}.{position}" if nested and path else path)
    else:
        code = getattr(detail, "code", "invalid")
        yield {"field": _sayable(path), "code": code, "detail": _sayable(str(detail))}


def _sayable(text: str) -> str:
    """Return the text without lone surrogates: what a client sent is quoted back to it, and must be UTF-8."""
    return text.encode(errors="replace").decode()


def unhandled(error: Exception) -> HttpResponse:
    """Answer what DRF did not: what is known by its kind; the rest is logged with its trace, and told without it."""
    if translated := _translate(error):
        status, body, headers = translated
        return HttpResponse(json.dumps(body), status=status, headers=headers, content_type=CONTENT_TYPE)
    log.error("unhandled error", exc_info=error)
    return problem_response(500, "internal_error", "Something went wrong on our side. It has been recorded.")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, 400, "malformed", "The request is malformed.")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, 403, "insufficient_permissions", errors.NotAllowed.message)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, 404, "not_found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, 500, "internal_error", "Something went wrong on our side. It has been recorded.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    detail = "The CSRF token is missing or wrong. Reload the page and try again."
    return answer(request, 403, "csrf_failed", detail)


def answer(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """Answer a browser that looks at a page with a page, and everything else with a problem document."""
    wanted = request.get_preferred_type([CONTENT_TYPE, "text/html"])
    if wanted != "text/html" or request.path.startswith(API_PREFIX):
        return problem_response(status, code, detail)
    # Without the request: whatever failed, the page about it asks neither the session nor the database.
    words = {"title": TITLES[status], "detail": detail, "request_id": current_request_id()}
    return HttpResponse(render_to_string("pages/error.html", words), status=status)
