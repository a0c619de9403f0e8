"""Reading bodies. They are UTF-8: a charset that a client names beside a media type is not listened to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser as FrameworkFormParser
from rest_framework.parsers import JSONParser as FrameworkJSONParser
from rest_framework.utils.json import strict_constant

MAXIMUM_DEPTH = 32
ParserContext = Mapping[str, Any] | None


class JSONParser(FrameworkJSONParser):
    """JSON without NaN and Infinity, however written, without names that occur twice, and without deep nesting.

    JSON has no charset, and what its twice named members mean is anybody's guess (RFC 8259 §4, §8.1, §11): whoever
    checks a request before us may have read the other one.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: ParserContext = None
    ) -> dict[str, Any]:
        try:
            text = stream.read().decode()
            data: Any = json.loads(
                text, parse_constant=strict_constant, parse_float=_finite, object_pairs_hook=_object_of
            )
        except ValueError as error:
            raise ParseError(f"This is not JSON: {error}") from error
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        if _depth_exceeds(data, MAXIMUM_DEPTH):
            raise ParseError("The JSON is nested too deeply.")
        return data  # type: ignore[no-any-return]  # DRF says dict; a list or a text is for the serializer to refuse


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ParseError("A name occurs twice in one object.")
    return members


def _finite(digits: str) -> float:
    # 1e400 is JSON, and infinite in every language that reads it into a double (RFC 8259 §6).
    if not isfinite(number := float(digits)):
        raise ParseError("A number is out of range.")
    return number


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
