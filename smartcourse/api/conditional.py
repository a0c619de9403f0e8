"""Conditional requests (RFC 9110 §8.8, §13): entity tags on reads, `If-None-Match`, and `If-Match` on changes.

A tag is the hash of the representation as it is written, before any coding of the transfer. Compression puts `W/`
before it, and nothing else here ever does; so where a tag comes back in `If-Match`, its `W/` is passed over
(docs/decisions/0015).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from smartcourse.api.problems import problem_response
from smartcourse.errors import PreconditionFailed

if TYPE_CHECKING:
    from smartcourse.api.viewsets import ContextViewSet

READS = ("GET", "HEAD")
# RFC 9110 §15.4.5: what describes the content stays with the content.
OF_CONTENT = ("content-type", "content-length", "content-encoding", "content-language")


def tag_of(content: bytes) -> str:
    """Return the strong entity tag of a representation."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def names(header: str, tag: str) -> bool:
    """Return whether the header names the tag, by opaque value, or is `*`."""
    return any(one == "*" or one.removeprefix("W/") == tag for one in parse_etags(header))


def check_unchanged(view: ContextViewSet, request: Request) -> None:
    """Hold `If-Match` against the representation that a read would give now; the caller has locked it.

    Raises:
        PreconditionFailed: it is another one.
    """
    reading = view.unless_changed[view.action]
    shape = view.serializers[reading]
    context = view.get_serializer_context()
    data = shape(view.subject_of_change(), context=context).data
    renderer = request.accepted_renderer
    told = Response(data)
    current = renderer.render(data, renderer.media_type, {"view": view, "response": told})
    if not names(request.headers["If-Match"], tag_of(current)):
        raise PreconditionFailed


def unless_changed(view: ContextViewSet, handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return the handler that changes only what is still as `If-Match` says.

    One transaction holds the lock over the comparison and the change, so nobody writes between the two.
    """

    def act(request: Request, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            check_unchanged(view, request)
            return handler(request, *args, **kwargs)

    return act


def say_who_may_keep(response: HttpResponseBase, request: Request) -> None:
    """Say which caches may keep the answer, and what it hangs on beside its address."""
    if not response.has_header("Cache-Control"):
        # One address answers each person otherwise, so no cache but the person's own may keep it, and that one asks.
        kept = request.method in READS and response.status_code == 200
        response["Cache-Control"] = "private, no-cache" if kept else "no-store"
    # A bearer token or a cookie says who asks.
    # Compression says the rest of it itself, but not of a 304, which names what the 200 would have named.
    patch_vary_headers(response, ("Authorization", "Cookie", "Accept-Encoding"))


def describe(response: HttpResponseBase, request: Request, view: ContextViewSet) -> None:
    """Say who may keep the answer, and tag what can be asked for again."""
    say_who_may_keep(response, request)
    if not isinstance(response, Response) or response.status_code != 200:
        return
    if request.method in READS and "no-store" not in response["Cache-Control"]:
        response.add_post_render_callback(lambda rendered: tagged(rendered, request))
    elif request.method == "PATCH" and view.action in view.unless_changed:
        # A PATCH answers with what a read would; of a PUT, RFC 9110 §9.3.4 forbids a tag.
        response.add_post_render_callback(_tag)


def _tag(response: Any) -> None:
    response["ETag"] = tag_of(response.content)


def tagged(response: Any, request: Request) -> HttpResponse | None:
    """Tag the rendered answer to a read; return another one where the request's conditions want it."""
    _tag(response)
    tag = response["ETag"]
    if (wanted := request.headers.get("If-Match")) is not None:
        if names(wanted, tag):
            return None
        return problem_response(412, PreconditionFailed.code, PreconditionFailed.message)
    known = request.headers.get("If-None-Match")
    if known is None or not names(known, tag):
        return None
    unchanged = HttpResponse(status=304)
    for name, value in response.items():
        if name.lower() not in OF_CONTENT:
            unchanged[name] = value
    del unchanged["Content-Type"]
    return unchanged
