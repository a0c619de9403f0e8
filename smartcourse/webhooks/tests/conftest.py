"""Receivers on this machine, which webhooks may call here as they may in development."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smartcourse.testing.receivers import Receiver, receiving
from smartcourse.webhooks.tests.factories import EndpointFactory


@pytest.fixture
def local(settings: Any) -> Any:
    """Settings under which 127.0.0.1 may be called, without TLS, and nobody waits long."""
    settings.WEBHOOKS_ALLOWED_PRIVATE = ["127.0.0.1/32"]
    settings.WEBHOOKS_HTTPS_ONLY = False
    settings.WEBHOOK_DEADLINE_SECONDS = 5
    return settings


@pytest.fixture
def receiver(local: Any) -> Iterator[Receiver]:
    """A receiver that takes everything until it is told otherwise."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def endpoint(receiver: Receiver, student: Any) -> Any:
    """The student's endpoint, at that receiver."""
    return EndpointFactory(owner=student, url=receiver.url)


@pytest.fixture
def sent() -> Callable[[], int]:
    """Return what does the work of a worker: sends everything that any endpoint is owed now."""
    from smartcourse.webhooks.models import Endpoint
    from smartcourse.webhooks.services import send_due

    return lambda: sum(
        send_due(endpoint_id=pk) for pk in Endpoint.objects.order_by("pk").values_list("pk", flat=True)
    )
