"""How answers that are pages are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer, TemplateHTMLRenderer


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
            return JSONRenderer().render(data)
        return super().render(data, accepted_media_type, renderer_context)
