"""Serializers that take nothing they do not know."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from smartcourse.api.middleware import is_storable


class InputSerializer(serializers.Serializer[Any]):
    """The shape of a request body: unknown fields are an error, never silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = {str(name): ["This field is not known."] for name in data if name not in self.fields}
            if unknown:
                raise ValidationError(unknown, code="unknown_field")
            if mistaken := self._mistaken(data):
                self._refuse(mistaken, data)
        return super().to_internal_value(data)

    def _mistaken(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the fields whose values are of another JSON type than they say, which DRF does not ask for."""
        # A form has nothing but texts, and DRF reads them; in JSON, a number is no text and a text no number.
        fields = {} if isinstance(data, QueryDict) else self.fields
        return {
            name: [ErrorDetail("This is of another type.", code="invalid")]
            for name, field in fields.items()
            if name in data and not _is_of_its_type(field, data[name])
        }

    def _refuse(self, mistaken: dict[str, Any], data: dict[str, Any]) -> NoReturn:
        """Refuse, and say what else is wrong.

        Raises:
            ValidationError: in any case.
        """
        try:
            super().to_internal_value(data)
        except ValidationError as error:
            others = error.detail if isinstance(error.detail, dict) else {}
            raise ValidationError({**mistaken, **others}) from error
        raise ValidationError(mistaken)


JSON_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], type | tuple[type, ...]], ...] = (
    (serializers.BooleanField, bool),
    (serializers.IntegerField, (int, float)),
    (serializers.FloatField, (int, float)),
    (serializers.CharField, str),
    (serializers.ChoiceField, str),
    (serializers.UUIDField, str),
    (serializers.DateTimeField, (str, datetime)),
)


def _is_of_its_type(field: Any, value: Any) -> bool:
    """Return whether a field was given the JSON type that the schema says, which DRF does not ask for."""
    if value is None:
        return True
    if isinstance(field, serializers.ListField):
        return not isinstance(value, list) or all(_is_of_its_type(field.child, one) for one in value)
    for kind, types in JSON_TYPES:
        if isinstance(field, kind):
            return isinstance(value, types) and (types is bool or not isinstance(value, bool))
    return True


class ProblemFieldSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    request_id = serializers.CharField()
    # DRF's serializers have a property of that name; in a document that is only ever written it is not asked for.
    errors = ProblemFieldSerializer(many=True, required=False)  # type: ignore[assignment]  # see above


class StorableCharField(serializers.CharField):
    """Text that PostgreSQL can hold."""

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not is_storable(value):
            raise ValidationError("This is not valid text.", code="invalid")
        return value
