"""How answers that are pages are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer as FrameworkJSONRenderer
from rest_framework.renderers import TemplateHTMLRenderer

from smartcourse.api.envelope import enveloped


class JSONRenderer(FrameworkJSONRenderer):
    """DRF's JSON, of the same bytes for everybody who may have them, in an envelope where the setting wants one."""

    def get_indent(self, accepted_media_type: str, renderer_context: Mapping[str, Any]) -> int | None:
        # `Accept: application/json; indent=4` would be another representation under the same entity tag.
        return None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return super().render(
            enveloped(data, renderer_context or {}), accepted_media_type, renderer_context or {}
        )


class DocumentationRenderer(TemplateHTMLRenderer):
    """The page of the docs; a refusal is the problem document that its content type says.

    A template would ask once more who is calling, and fail by the very token that was refused.
    """

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        if renderer_context and renderer_context["response"].exception:
            return FrameworkJSONRenderer().render(data)
        return super().render(data, accepted_media_type, renderer_context)
