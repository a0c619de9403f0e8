"""One delivery from its claim to its end: what is sent, signed, recorded, tried again and given up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.http import http_date
from standardwebhooks import Webhook, WebhookVerificationError

from smartcourse.testing.receivers import Heard, Receiver, answering, huge
from smartcourse.webhooks import services
from smartcourse.webhooks.models import DeliveryStatus, Endpoint, WebhookDelivery
from smartcourse.webhooks.services import sending
from smartcourse.webhooks.signing import signed_headers
from smartcourse.webhooks.tests.factories import WebhookDeliveryFactory

pytestmark = pytest.mark.django_db
Sent = Callable[[], int]


def verified(heard: Heard, secret: str) -> Any:
    """Check as the specification says, without the library that signed; return the payload."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    said = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}.{heard.body.decode()}"
    expected = "v1," + base64.b64encode(hmac.new(key, said.encode(), hashlib.sha256).digest()).decode()
    assert expected in heard.headers["webhook-signature"].split(" ")
    return json.loads(heard.body)


@pytest.fixture
def delivery(endpoint: Any) -> Any:
    return WebhookDeliveryFactory(endpoint=endpoint)


def make_due(delivery: Any) -> None:
    """Let the time pass until its next attempt, and its endpoint's rest."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now())
    Endpoint.objects.filter(pk=delivery.endpoint_id).update(rests_until=None)


class TestSignature:
    def test_is_that_of_the_specification(self) -> None:
        # The example that the convention's own libraries are tested with.
        headers = signed_headers(
            message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            at=datetime.fromtimestamp(1614265330, tz=UTC),
            body='{"test": 2432232314}',
            secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        )
        assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        assert headers["webhook-timestamp"] == "1614265330"

    def test_is_verified_by_the_receiver(self, delivery: Any, receiver: Receiver, sent: Sent) -> None:
        assert sent() == 1
        [heard] = receiver.heard
        payload = verified(heard, delivery.endpoint.secret)
        assert (payload["type"], set(payload)) == ("enrollment.activated", {"type", "timestamp", "data"})
        assert heard.headers["webhook-id"] == f"msg_{delivery.fact_id.hex}"
        assert heard.headers["content-type"] == "application/json"
        assert Webhook(delivery.endpoint.secret).verify(heard.body, heard.headers) == payload
        with pytest.raises(WebhookVerificationError):
            Webhook(delivery.endpoint.secret).verify(heard.body + b" ", heard.headers)

    def test_is_by_both_secrets_for_a_day_after_a_rotation(
        self, delivery: Any, receiver: Receiver, sent: Sent
    ) -> None:
        former = delivery.endpoint.secret
        present = services.rotate_secret(endpoint_id=delivery.endpoint_id, at=timezone.now()).secret
        sent()
        [heard] = receiver.heard
        assert verified(heard, former) == verified(heard, present)
        assert len(heard.headers["webhook-signature"].split(" ")) == 2

    def test_is_by_the_present_secret_alone_afterwards(
        self, delivery: Any, receiver: Receiver, sent: Sent
    ) -> None:
        yesterday = timezone.now() - timedelta(days=1, seconds=1)
        services.rotate_secret(endpoint_id=delivery.endpoint_id, at=yesterday)
        sent()
        assert len(receiver.heard[0].headers["webhook-signature"].split(" ")) == 1


class TestTaken:
    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_is_recorded(self, status: int, delivery: Any, receiver: Receiver, sent: Sent) -> None:
        receiver.behaviour = answering(status, b"" if status == 204 else b"thank you")
        assert sent() == 1
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts) == (DeliveryStatus.SENT, 1)
        assert delivery.finished_at is not None
        attempt = delivery.log.get()
        assert (attempt.number, attempt.status_code, attempt.error) == (1, status, "")
        assert attempt.response == ("" if status == 204 else "thank you")

    def test_is_sent_once(self, delivery: Any, receiver: Receiver, sent: Sent) -> None:
        assert [sent(), sent(), sent()] == [1, 0, 0]
        assert len(receiver.heard) == 1

    def test_keeps_no_more_of_the_response_than_a_kilobyte(
        self, delivery: Any, receiver: Receiver, sent: Sent
    ) -> None:
        receiver.behaviour = huge(1_000_000)
        sent()
        assert delivery.log.get().response == "x" * 1024

    def test_keeps_a_response_that_is_no_text(self, delivery: Any, receiver: Receiver, sent: Sent) -> None:
        receiver.behaviour = answering(200, b"\x00\xff\xfe<script>alert(1)</script>")
        sent()
        assert delivery.log.get().response == "��<script>alert(1)</script>"


class TestNotTaken:
    def test_is_tried_again_with_growing_patience_and_given_up(
        self, delivery: Any, receiver: Receiver, sent: Sent, local: Any
    ) -> None:
        receiver.behaviour = answering(500, b"sorry")
        waited = []
        for _ in range(len(local.WEBHOOK_RETRY_SECONDS)):
            assert sent() == 1
            delivery.refresh_from_db()
            assert delivery.status == DeliveryStatus.PENDING
            waited.append((delivery.next_attempt_at - timezone.now()).total_seconds())
            make_due(delivery)
        for actual, least in zip(waited, local.WEBHOOK_RETRY_SECONDS, strict=True):
            assert least - 1 < actual <= least * 1.1
        assert sent() == 1
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts) == (DeliveryStatus.FAILED, 8)
        make_due(delivery)
        assert sent() == 0
        assert [a.status_code for a in delivery.log.all()] == [500] * 8
        assert len(set(receiver.ids)) == 1, "one message, one id"
        assert len({heard.body for heard in receiver.heard}) == 1

    @pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 429, 500, 503])
    def test_is_whatever_is_not_2xx(self, status: int, delivery: Any, receiver: Receiver, sent: Sent) -> None:
        receiver.behaviour = answering(status, Location=receiver.url + "/elsewhere")
        sent()
        delivery.refresh_from_db()
        assert delivery.status == DeliveryStatus.PENDING
        attempt = delivery.log.get()
        assert attempt.status_code == status
        assert ("redirect" in attempt.error) == (status < 400)
        assert {heard.path for heard in receiver.heard} == {"/hook"}

    @pytest.mark.parametrize(
        ("said", "least", "most"),
        [
            ("120", 119, 121),
            ("1", 4, 6),
            ("999999999999", 36000 - 1, 36001),
            ("soon", 4, 6),
            ("-5", 4, 6),
            ("", 4, 6),
        ],
    )
    def test_waits_as_long_as_it_was_asked_to(
        self, said: str, least: int, most: int, delivery: Any, receiver: Receiver, sent: Sent
    ) -> None:
        receiver.behaviour = answering(429, Retry_After=said)
        sent()
        delivery.refresh_from_db()
        assert least < (delivery.next_attempt_at - timezone.now()).total_seconds() < most

    def test_understands_a_date_to_wait_for(self, delivery: Any, receiver: Receiver, sent: Sent) -> None:
        receiver.behaviour = answering(503, Retry_After=http_date(timezone.now().timestamp() + 600))
        sent()
        delivery.refresh_from_db()
        assert 590 < (delivery.next_attempt_at - timezone.now()).total_seconds() < 602

    def test_tells_no_address_that_a_name_has(self, delivery: Any, local: Any, sent: Sent) -> None:
        local.WEBHOOKS_ALLOWED_PRIVATE = []
        sent()
        error = delivery.log.get().error
        assert error == "The address is not one of the public Internet."


class TestPatience:
    def test_is_that_of_the_product(self, settings: Any) -> None:
        assert settings.WEBHOOK_DEADLINE_SECONDS == 10 < settings.WEBHOOK_LEASE_SECONDS
        assert settings.WEBHOOK_RETRY_SECONDS == (5, 300, 1800, 7200, 18000, 36000, 36000)
        assert timedelta(days=5).total_seconds() == settings.WEBHOOK_DISABLE_AFTER_SECONDS
        assert settings.WEBHOOKS_HTTPS_ONLY
        assert settings.WEBHOOKS_ALLOWED_PRIVATE == []


class TestLease:
    def test_keeps_a_second_worker_away(self, delivery: Any, receiver: Receiver, sent: Sent) -> None:
        delivery.lease(seconds=30)
        assert sent() == 0
        assert receiver.heard == []

    def test_that_ran_out_is_taken_over_with_the_same_id(
        self, delivery: Any, receiver: Receiver, sent: Sent
    ) -> None:
        delivery.lease(seconds=-1)
        assert sent() == 1
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts) == (DeliveryStatus.SENT, 2)
        assert receiver.ids == [delivery.message_id]

    def test_that_was_lost_lets_nobody_record(self, delivery: Any, receiver: Receiver, sent: Sent) -> None:
        claim = sending._claim(delivery.endpoint_id)
        assert claim
        WebhookDelivery.objects.get(pk=delivery.pk).lease(seconds=30)
        sending._record(claim, sending.Outcome(timezone.now(), 5, status_code=500))
        delivery.refresh_from_db()
        assert (delivery.status, delivery.log.count()) == (DeliveryStatus.PENDING, 0)
        assert delivery.endpoint.failures_in_a_row == 0

    def test_of_what_is_deleted_meanwhile_ends_quietly(
        self, delivery: Any, receiver: Receiver, sent: Sent
    ) -> None:
        claim = sending._claim(delivery.endpoint_id)
        assert claim
        services.delete_endpoint(endpoint_id=delivery.endpoint_id)
        sending._record(claim, sending._attempt(claim))
        assert len(receiver.heard) == 1
        assert not WebhookDelivery.objects.exists()

    def test_of_a_last_attempt_that_nobody_told_of_ends_it(
        self, delivery: Any, receiver: Receiver, sent: Sent
    ) -> None:
        WebhookDelivery.objects.filter(pk=delivery.pk).update(attempts=7)
        delivery.refresh_from_db()
        delivery.lease(seconds=-1)
        assert sent() == 0
        delivery.refresh_from_db()
        assert delivery.status == DeliveryStatus.FAILED
        assert delivery.log.get().error == "The attempt was broken off."
