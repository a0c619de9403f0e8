"""Reading bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser as FrameworkJSONParser

MAXIMUM_DEPTH = 32


class JSONParser(FrameworkJSONParser):
    """DRF's JSON parser (which refuses NaN and Infinity), refusing also what is nested beyond reason."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        if _depth_exceeds(data, MAXIMUM_DEPTH):
            raise ParseError("The JSON is nested too deeply.")
        return data


def _depth_exceeds(data: Any, limit: int) -> bool:
    if not isinstance(data, dict | list):
        return False
    if limit == 0:
        return True
    inner = data.values() if isinstance(data, dict) else data
    return any(_depth_exceeds(value, limit - 1) for value in inner)
