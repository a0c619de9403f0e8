"""What no view should have to think of: foul text in addresses, and errors outside of any view."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from smartcourse.api.problems import API_PREFIX, problem_response, unhandled

GetResponse = Callable[[HttpRequest], HttpResponse]
# A search of a paragraph is a search; more than this is an attack or a mistake.
MAXIMUM_QUERY_LENGTH = 8_000
# What `is_storable` asks of a text, as the API's schema says it; no JSON that is Unicode has a lone surrogate.
STORABLE = r"^[^\u0000]*$"


class ProblemMiddleware:
    """Turns an exception that reaches the edge of the API into a problem document."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unhandled(exception) if request.path.startswith(API_PREFIX) else None


class RateLimitHeadersMiddleware:
    """Tells a caller of its bucket on every answer that took from one: pages, refusals and errors too."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in getattr(request, "rate_limit_headers", {}).items():
            response[name] = value
        return response


class PermissionsPolicyMiddleware:
    """Says which abilities of a browser no page of ours uses (W3C Permissions Policy)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        return response


class TextSanityMiddleware:
    """Refuses text that PostgreSQL cannot hold (NUL, lone surrogates) in path and query, before anybody uses it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if len(query) > MAXIMUM_QUERY_LENGTH:
            return problem_response(400, "malformed", "The query is too long.")
        if not is_storable(request.path) or not is_storable(unquote(query, errors="surrogateescape")):
            return problem_response(400, "malformed", "The address holds characters that are not text.")
        return self.get_response(request)


def is_storable(text: str) -> bool:
    """Return whether the text can be stored: valid Unicode, without NUL."""
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
