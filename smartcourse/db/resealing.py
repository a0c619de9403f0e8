"""Bringing what was sealed under former keys under the present one."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from django.apps import apps
from django.db import models, transaction

from smartcourse.db.encryption import EncryptedTextField, Sealed, Unreadable, present_key_id, seal, unseal

BATCH = 500

log = structlog.get_logger(__name__)


@dataclasses.dataclass
class Column:
    """An encrypted column, and what became of its values."""

    model: type[models.Model]
    field: EncryptedTextField
    by_key: Counter[str] = dataclasses.field(default_factory=Counter)
    """How many values each key had, before."""
    resealed: int = 0
    unreadable: int = 0

    @property
    def name(self) -> str:
        return f"{self.model._meta.db_table}.{self.field.column}"  # noqa: SLF001 - a documented part of Django

    @property
    def former(self) -> int:
        """How many values were sealed under another key than the present one."""
        return sum(self.by_key.values()) - self.by_key[present_key_id()]


def encrypted_columns() -> Iterator[Column]:
    """Yield every encrypted column of every model."""
    for model in apps.get_models():
        for candidate in model._meta.local_concrete_fields:  # noqa: SLF001 - a documented part of Django
            if isinstance(candidate, EncryptedTextField):
                yield Column(model, candidate)


def reseal(column: Column, *, dry_run: bool, progress: Callable[[int], None] = lambda _: None) -> None:
    """Seal each value of the column under the present key that is under another one, in batches of their own
    transactions; what was interrupted goes on where it was, because what is done is known by its key.

    A value that cannot be opened stays as it is, and is counted; `progress` is told how many rows were looked at.
    """
    name, seen, last = column.field.attname, 0, None
    filled = column.model._default_manager.exclude(**{name: ""}).exclude(**{name: None})  # noqa: SLF001 - as above
    while True:
        with transaction.atomic():
            rows = filled.order_by("pk")
            if last is not None:
                rows = rows.filter(pk__gt=last)
            if not dry_run:
                rows = rows.select_for_update(of=("self",), no_key=True)
            batch = list(rows.values_list("pk", name)[:BATCH])
            for pk, value in batch:
                column.by_key[value.key_id] += 1
                if value.key_id != present_key_id() and not dry_run:
                    _reseal_one(column, pk, value)
        if not batch:
            return
        last, seen = batch[-1][0], seen + len(batch)
        progress(seen)


def _reseal_one(column: Column, pk: Any, value: Sealed) -> None:
    place = column.field.place_of(pk)
    try:
        text = unseal(value, place=place)
    except Unreadable as error:
        column.unreadable += 1
        log.warning("a value cannot be opened", error=str(error))
        return
    sealed = seal(text, place=place)
    column.model._default_manager.filter(pk=pk).update(**{column.field.attname: sealed})  # noqa: SLF001 - as above
    column.resealed += 1
