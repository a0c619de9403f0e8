"""The forms that the key of a question has, and the answer to it: by the kind of the question, so JSON of its own."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from smartcourse.api.middleware import STORABLE, is_storable

TEXT = {"type": "string", "maxLength": 2000, "pattern": STORABLE}
TEXTS = {"type": "array", "items": TEXT, "maxItems": 100}
NUMERIC = {
    "type": "object",
    "properties": {"value": {"type": "number"}, "tolerance": {"type": "number", "minimum": 0}},
    "required": ["value"],
    "additionalProperties": False,
}
KEY = {
    "description": "Choices and short text: a list of texts. True or false: a boolean. Numeric: an object.",
    "oneOf": [{"type": "boolean"}, TEXTS, NUMERIC],
}
ANSWER = {
    "description": "Single choice and short text: a text. Multiple choice: a list of texts. True or false: a boolean. "
    "Numeric: a number. Not answered: null.",
    "oneOf": [{"type": "boolean"}, {"type": "number"}, TEXT, TEXTS],
}
LONGEST_TEXT, MOST_TEXTS = 2000, 100


@extend_schema_field(KEY)
class KeyField(serializers.JSONField):
    """What is right; whether it fits the question is the service's to say."""

    default_error_messages = {"invalid": "This has the form of no key."}

    def to_internal_value(self, data: Any) -> Any:
        if not (isinstance(data, bool) or is_texts(data) or _is_numeric(data)):
            self.fail("invalid")
        return data


@extend_schema_field(ANSWER)
class AnswerField(serializers.JSONField):
    """What a learner answers; one of another kind of question is not refused, and wrong."""

    default_error_messages = {"invalid": "This has the form of no answer."}

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_internal_value(self, data: Any) -> Any:
        if not (isinstance(data, bool | int | float) or is_text(data) or is_texts(data)):
            self.fail("invalid")
        return data


def is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and is_storable(value)


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_TEXTS and all(map(is_text, value))


def _is_numeric(value: Any) -> bool:
    if not isinstance(value, dict) or not {"value"} <= set(value) <= {"value", "tolerance"}:
        return False
    return all(isinstance(part, int | float) and not isinstance(part, bool) for part in value.values())
