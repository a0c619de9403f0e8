"""A secret is in the answer that made it, in the database, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from notifications.models import Message
from notifications.services import send_message
from smartcourse.events.models import OutboxFact
from smartcourse.testing.fixtures import ClientOf
from smartcourse.testing.receivers import Receiver, answering
from smartcourse.webhooks.models import DeliveryAttempt, Endpoint, WebhookDelivery

pytestmark = pytest.mark.django_db
PATH = "a-path-that-is-a-secret"


def last_delivery() -> str:
    return str(WebhookDelivery.objects.latest("id").pk)


def life_of_an_endpoint(client: Any, receiver: Receiver, sent: Callable[[], int]) -> tuple[str, list[str]]:
    """Make one, rotate it, ping it until it is disabled; return its address, and the secrets it had."""
    url = f"{receiver.url}/{PATH}?key={PATH}"
    created = client.post("/api/v1/webhooks", {"url": url, "fact_types": ["user.verified"]}).data
    address = f"/api/v1/webhooks/{created['id']}"
    rotated = client.post(f"{address}/rotate-secret").data
    for status in (500, 302, 410):
        receiver.behaviour = answering(status, b"no", Location=receiver.url)
        client.post(f"{address}/ping")
        sent()
    return address, [secret.removeprefix("whsec_") for secret in (created["secret"], rotated["secret"])]


def everything_told() -> list[str]:
    """Facts, messages, mails, deliveries and attempts, as they are written down."""
    rows = [model.objects.values() for model in (OutboxFact, Message, WebhookDelivery, DeliveryAttempt)]
    assert all(rows)
    assert mail.outbox
    return [repr(row) for each in rows for row in each] + [str(m.message()) for m in mail.outbox]


class TestSecrets:
    def test_are_in_no_log_fact_message_delivery_or_later_answer(
        self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], student: Any, client_of: ClientOf,
        receiver: Receiver, sent: Callable[[], int], settle: Callable[[], None],
    ) -> None:  # fmt: skip
        client = client_of(student)
        address, secrets = life_of_an_endpoint(client, receiver, sent)
        settle()
        for message in Message.objects.all():
            send_message(message_id=message.pk)
        paths = (
            "/api/v1/webhooks",
            address,
            f"{address}/deliveries",
            f"{address}/deliveries/{last_delivery()}",
        )
        answers = [client.get(path).content.decode() for path in paths]
        out = capfd.readouterr()
        logged = [out.out, out.err, caplog.text]
        assert any("a webhook was not taken" in text for text in logged)
        for place in (*answers, *logged, *everything_told()):
            assert not [secret for secret in secrets if secret in place]
        # A URL may be as good as a password; its owner alone is shown it.
        for place in (*logged, *everything_told()):
            assert PATH not in place

    def test_are_not_in_how_an_endpoint_is_written(self, endpoint: Any) -> None:
        endpoint.rotate_secret(at=timezone.now(), overlap=timedelta(days=1))
        assert "whsec_" not in f"{endpoint} {endpoint!r} {Endpoint.objects.all()!r}"
