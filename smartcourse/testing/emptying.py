"""A pytest plugin that empties the database behind a test which commits, at a small part of what `flush` takes.

Django truncates every table and makes content types, permissions, groups and the schedule anew. Of some sixty tables a
test has filled five; what `migrate` has put there is hardly ever touched. So what is filled is deleted, and only where
a test did touch the rest is the database flushed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

# Deleting in whatever order, and where rows may not be deleted: as TRUNCATE, which asks no trigger.
UNTRIGGERED = "SET LOCAL session_replication_role = replica"
DELETE = "DELETE FROM {}"
FINGERPRINT = "SELECT md5(string_agg(entry::text, ',' ORDER BY entry::text)) FROM {} AS entry"


class Emptying:
    """Knows what `migrate` has left in a database, and takes away the rest."""

    def __init__(self) -> None:
        self.brought: dict[str, str] | None = None

    def look(self) -> None:
        """Remember what is there before the first test that commits."""
        if self.brought is None:
            self.brought = self._fingerprints(self._filled())

    def empty(self) -> bool:
        """Delete what a test has left; False where it touched what was there before, so that this is not enough."""
        from django.db import connection, transaction

        brought, filled = self.brought or {}, self._filled()
        if self._fingerprints(sorted(brought)) != brought:
            self.brought = None
            return False
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(UNTRIGGERED)
            for table in filled:
                if table not in brought:
                    cursor.execute(DELETE.format(connection.ops.quote_name(table)))
        return True

    def _filled(self) -> list[str]:
        from django.db import connection

        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        columns = ", ".join(f"EXISTS (SELECT FROM {connection.ops.quote_name(table)})" for table in tables)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns}")
            return [table for table, filled in zip(tables, cursor.fetchone() or (), strict=True) if filled]

    def _fingerprints(self, tables: list[str]) -> dict[str, str]:
        from django.db import connection

        found: dict[str, str] = {}
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(FINGERPRINT.format(connection.ops.quote_name(table)))
                found[table] = (cursor.fetchone() or ("",))[0]
        return found


@pytest.fixture(scope="session", autouse=True)
def emptied_quickly() -> Iterator[None]:
    """Have every test that commits be followed by this instead of a flush."""
    from django.test import TransactionTestCase

    emptying, case = Emptying(), TransactionTestCase
    with pytest.MonkeyPatch.context() as patch:
        # What Django's own subclasses override.
        setup: Any = vars(case)["_fixture_setup"]
        teardown: Any = vars(case)["_fixture_teardown"]

        def look_and_set_up(cls: Any) -> None:
            emptying.look()
            setup.__func__(cls)

        def empty_or_flush(self: Any) -> None:
            if not emptying.empty():
                teardown(self)

        patch.setattr(case, "_fixture_setup", classmethod(look_and_set_up))
        patch.setattr(case, "_fixture_teardown", empty_or_flush)
        yield
