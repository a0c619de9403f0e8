"""The optional envelope of success, `{success, data, message}`, for clients that want one (setting API_ENVELOPE)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings

JSON = "application/json"


def enveloped(data: Any, context: Mapping[str, Any]) -> Any:
    """Return what is written for the data of a view's answer: in an envelope, if that is switched on.

    Refusals are problem documents and stay them. So do shapes that another specification lays down (`bare` of the
    view), and whatever is no answer of a ContextViewSet: probes of a container, the schema itself.
    """
    view, response = context.get("view"), context.get("response")
    bare = getattr(view, "bare", None)
    if not settings.API_ENVELOPE or data is None or response is None or response.exception or bare is None:
        return data
    if view is not None and view.action in bare:
        return data
    return {"success": True, "data": data, "message": HTTPStatus(response.status_code).phrase}


def envelope_schema(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Put every enveloped answer of the schema into its envelope (a hook of drf-spectacular)."""
    for item in result.get("paths", {}).values():
        for operation in item.values():
            # A mark of `ContextSchema`, which knows the view.
            marked = isinstance(operation, dict) and operation.pop("x-enveloped", False)
            if marked and settings.API_ENVELOPE:
                _wrap(operation["responses"])
    return result


def _wrap(responses: dict[str, Any]) -> None:
    for status, answer in responses.items():
        media = answer.get("content", {}).get(JSON) if status.startswith("2") else None
        if media:
            media["schema"] = {
                "type": "object",
                "properties": {
                    "success": {"type": "boolean", "const": True},
                    "data": media["schema"],
                    "message": {"type": "string"},
                },
                "required": ["success", "data", "message"],
            }
