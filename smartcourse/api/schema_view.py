"""Where the OpenAPI document is read: made once a process, for it takes seconds and changes with the code only."""

from __future__ import annotations

import functools
import threading
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from smartcourse.api.conditional import say_who_may_keep, tagged

_one_at_a_time = threading.Lock()


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, as YAML or JSON by `Accept` or `?format=`; the same for everybody who may read it."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer: Any = request.accepted_renderer
        with _one_at_a_time:
            content = _rendered(renderer.__class__)
        form = "; ".join(
            filter(None, [renderer.media_type, renderer.charset and f"charset={renderer.charset}"])
        )
        name = f"{spectacular_settings.TITLE}.{renderer.format}"
        response = HttpResponse(
            content, content_type=form, headers={"Content-Disposition": f'inline; filename="{name}"'}
        )
        say_who_may_keep(response, request)
        return tagged(response, request) or response


@functools.cache
def _rendered(form: type[BaseRenderer]) -> bytes:
    return bytes(form().render(_document(), renderer_context={}))


@functools.cache
def _document() -> Any:
    generator: Any = SchemaGenerator
    return generator().get_schema(request=None, public=True)
