"""Reading bodies. They are UTF-8: a charset that a client names beside a media type is not listened to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser as FrameworkFormParser
from rest_framework.parsers import JSONParser as FrameworkJSONParser

MAXIMUM_DEPTH = 32
ParserContext = Mapping[str, Any] | None


class JSONParser(FrameworkJSONParser):
    """DRF's JSON parser (which refuses NaN and Infinity), refusing also what is nested beyond reason.

    JSON has no charset (RFC 8259 §8.1, §11).
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: ParserContext = None
    ) -> dict[str, Any]:
        try:
            data = super().parse(stream, media_type, _in_utf8(parser_context))
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        if _depth_exceeds(data, MAXIMUM_DEPTH):
            raise ParseError("The JSON is nested too deeply.")
        return data


class FormParser(FrameworkFormParser):
    """DRF's form parser; some of Python's codecs (`idna`, `punycode`) would break it with an error of their own."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: ParserContext = None
    ) -> Any:
        return super().parse(stream, media_type, _in_utf8(parser_context))


def _in_utf8(parser_context: ParserContext) -> dict[str, Any]:
    return {**(parser_context or {}), "encoding": "utf-8"}


def _depth_exceeds(data: Any, limit: int) -> bool:
    if not isinstance(data, dict | list):
        return False
    if limit == 0:
        return True
    inner = data.values() if isinstance(data, dict) else data
    return any(_depth_exceeds(value, limit - 1) for value in inner)
