"""The world of the permission matrix, for whole classes of tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from smartcourse.tests.world import World, build_world


@pytest.fixture(scope="class")
def world(request: Any, django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """The world, built once for a class (`published = False`: with a draft); each request is undone by itself."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_world(published=getattr(request.cls, "published", True))
        transaction.set_rollback(True)
