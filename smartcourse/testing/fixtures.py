"""The standing cast of the test suite, and clients that speak for them (a pytest plugin)."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    # Not at run time: it reads Django's settings, and this plugin is loaded before there are any.
    from rest_framework.test import APIClient

ClientOf = Callable[[Any], "APIClient"]


@pytest.fixture(scope="session")
def schema() -> Any:
    """The OpenAPI document as the command prints it; whoever asks for it is of the group `schema`: it takes seconds."""
    from django.core.management import call_command

    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def client_of() -> ClientOf:
    """Return a maker of API clients: `client_of(student)`, `client_of(None)` for an anonymous visitor."""

    def make(user: Any) -> APIClient:
        from rest_framework.test import APIClient

        client = APIClient()
        if user is not None:
            client.force_authenticate(user)
        return client

    return make


@pytest.fixture
def anonymous(client_of: ClientOf) -> APIClient:
    """A visitor without an account."""
    return client_of(None)


def person(role: str, full_name: str) -> Any:
    from accounts.tests.factories import UserFactory

    return UserFactory(role=role, full_name=full_name)


@pytest.fixture
def student(db: None) -> Any:
    """The learner that the test is about."""
    return person("student", "Sofia Student")


@pytest.fixture
def classmate(db: None) -> Any:
    """Another learner in the same course."""
    return person("student", "Carl Classmate")


@pytest.fixture
def stranger(db: None) -> Any:
    """A learner who is in no course of the test."""
    return person("student", "Stan Stranger")


@pytest.fixture
def instructor(db: None) -> Any:
    """The teacher of the course."""
    return person("instructor", "Ines Instructor")


@pytest.fixture
def rival(db: None) -> Any:
    """Another teacher, who has nothing to do with the course."""
    return person("instructor", "Rita Rival")


@pytest.fixture
def staff(db: None) -> Any:
    """Somebody who runs the place."""
    return person("staff", "Stella Staff")


@pytest.fixture
def administrator(db: None) -> Any:
    """Somebody who decides who runs the place."""
    return person("admin", "Ada Admin")


@pytest.fixture
def settle() -> Callable[[], None]:
    """Return `smartcourse.testing.settle.settle`: does the work of relay, worker and beat."""
    from smartcourse.testing.settle import settle as do_settle

    return do_settle
