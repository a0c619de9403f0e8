"""What the OpenAPI document still lacks when every operation is drawn: what is said once, for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smartcourse.api.middleware import STORABLE
from smartcourse.api.schema import CODES

VERBS = frozenset({"get", "put", "post", "patch", "delete"})
IN_ADDRESS = frozenset({"path", "query"})
NARROWER = frozenset({"enum", "format", "pattern"})
# What the edge answers before an operation is reached, or when it breaks.
EDGE_CODES = frozenset({
    "csrf_failed", "internal_error", "malformed", "method_not_allowed", "not_acceptable", "too_large",
    "unsupported_media_type",
})  # fmt: skip


def complete(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Name tags and codes of problems, and say of each operation how it is secured (a hook of drf-spectacular)."""
    operations = list(_operations(result))
    result["tags"] = [{"name": name} for name in sorted({tag for one in operations for tag in one["tags"]})]
    for operation in operations:
        # Unsaid, a reader would take it for unknown.
        operation.setdefault("security", [])
        for parameter in operation.get("parameters", ()):
            _bar_nul(parameter)
    for schema in result.get("components", {}).get("schemas", {}).values():
        # drf-spectacular says `oneOf` of shapes that it knows nothing more of; one may well be a part of another.
        if "oneOf" in schema and "discriminator" not in schema:
            schema["anyOf"] = schema.pop("oneOf")
        for shown in schema.get("properties", {}).values():
            # A pattern is for who writes. What is read keeps to Python's, where a letter is one of any script.
            if shown.get("readOnly"):
                shown.pop("pattern", None)
    _name_the_codes(result, operations)
    return result


def _operations(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in result.get("paths", {}).values():
        yield from (operation for verb, operation in item.items() if verb in VERBS)


def _bar_nul(parameter: dict[str, Any]) -> None:
    """Say of a text in an address that it has no NUL, which the edge refuses (see `TextSanityMiddleware`)."""
    schema = parameter["schema"]
    if parameter["in"] in IN_ADDRESS and schema.get("type") == "string" and not schema.keys() & NARROWER:
        schema["pattern"] = STORABLE


def _name_the_codes(result: dict[str, Any], operations: list[dict[str, Any]]) -> None:
    """Give the codes of all problems one name, so that a generated client has a type for them."""
    schemas = result.get("components", {}).get("schemas", {})
    if "Problem" not in schemas:
        return
    answers = [answer for operation in operations for answer in operation["responses"].values()]
    known = EDGE_CODES.union(*(answer.get(CODES, ()) for answer in answers))
    schemas["ProblemCode"] = {
        "type": "string",
        "enum": sorted(known),
        "description": "What happened, for programs.",
    }
    schemas["Problem"]["properties"]["code"] = {"$ref": "#/components/schemas/ProblemCode"}
    result["components"]["schemas"] = dict(sorted(schemas.items()))
