"""TOML tables that know where they stand, so that a mistake in them is reported with its place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from smartcourse.demo.errors import DemoContentError

Choice = TypeVar("Choice", bound=StrEnum)


class Table:
    """One TOML table. Every reader raises DemoContentError with the file and the path of the field.

    A field counts as known once it was asked for; what remains unknown is a slip of the pen.
    """

    def __init__(self, fields: Mapping[str, object], place: str) -> None:
        self._fields = fields
        self._place = place
        self._asked: set[str] = set()

    def error(self, name: str, problem: str) -> DemoContentError:
        """The exception that says what is wrong with a field, for the caller to raise."""
        return DemoContentError(f"{self._place}: {name} {problem}")

    def has(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str) -> str:
        """A text with at least one visible character."""
        value = self._get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.error(name, "is not a text, or is empty")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of at least one text, none of them empty."""
        values = self._get(name)
        if not isinstance(values, list) or not values:
            raise self.error(name, "is not a list, or is empty")
        texts = tuple(value for value in values if isinstance(value, str) and value.strip())
        if len(texts) < len(values):
            raise self.error(name, "holds something that is not a text, or is empty")
        return texts

    def flag(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            raise self.error(name, "is neither true nor false")
        return value

    def number(self, name: str) -> float:
        value = self._get(name)
        # A bool is an int to Python, and no number to an author.
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.error(name, "is not a number")
        return float(value)

    def whole_number(self, name: str, *, least: int, most: int | None = None) -> int:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(name, "is not a whole number")
        if value < least or (most is not None and value > most):
            raise self.error(name, f"is not from {least} to {most or 'any number'}")
        return value

    def choice(self, name: str, choices: type[Choice]) -> Choice:
        value = self.text(name)
        try:
            return choices(value)
        except ValueError as error:
            raise self.error(name, f"is {value!r}, none of {', '.join(choices)}") from error

    def table(self, name: str) -> Table:
        value = self._get(name)
        if not isinstance(value, dict):
            raise self.error(name, "is not a table")
        return Table(value, f"{self._place}: {name}")

    def tables(self, name: str) -> tuple[Table, ...]:
        """A list of at least one table; they are counted from 1, as people count."""
        values = self._get(name)
        if not isinstance(values, list) or not values:
            raise self.error(name, "is not a list of tables, or is empty")
        if not all(isinstance(value, dict) for value in values):
            raise self.error(name, "holds something that is not a table")
        return tuple(Table(value, f"{self._place}: {name}[{at}]") for at, value in enumerate(values, start=1))

    def refuse_unknown(self) -> None:
        """Called when all was read.

        Raises: DemoContentError when a field is left that nobody asked for.
        """
        if unknown := self._fields.keys() - self._asked:
            raise DemoContentError(f"{self._place}: unknown: {', '.join(sorted(unknown))}")

    def _get(self, name: str) -> object:
        self._asked.add(name)
        if name not in self._fields:
            raise self.error(name, "is missing")
        return self._fields[name]
