"""Serializers that take nothing they do not know."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from smartcourse.api.middleware import is_storable


class InputSerializer(serializers.Serializer[Any]):
    """The shape of a request body: unknown fields are an error, never silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = {str(name): ["This field is not known."] for name in data if name not in self.fields}
            if unknown:
                raise ValidationError(unknown, code="unknown_field")
        return super().to_internal_value(data)


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
