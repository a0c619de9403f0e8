"""Test pings, the log of deliveries, and sending again, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from smartcourse.testing.fixtures import ClientOf
from smartcourse.testing.receivers import Receiver, answering
from smartcourse.webhooks import services
from smartcourse.webhooks.models import DeliveryAttempt, DeliveryStatus, Endpoint, WebhookDelivery
from smartcourse.webhooks.tests.factories import EndpointFactory, WebhookDeliveryFactory

pytestmark = pytest.mark.django_db
Sent = Callable[[], int]


def address(endpoint: Any, deed: str = "") -> str:
    return f"/api/v1/webhooks/{endpoint.pk}{deed}"


def log_of(delivery: Any, deed: str = "") -> str:
    return address(delivery.endpoint, f"/deliveries/{delivery.pk}{deed}")


@pytest.fixture
def own(student: Any) -> Any:
    return WebhookDeliveryFactory(endpoint=EndpointFactory(owner=student))


class TestPing:
    def test_is_sent_signed_by_the_same_path(
        self, endpoint: Any, student: Any, receiver: Receiver, client_of: ClientOf, sent: Sent
    ) -> None:
        client = client_of(student)
        answer = client.post(address(endpoint, "/ping"))
        assert (answer.status_code, answer.data["fact_type"], answer.data["status"]) == (
            202,
            "webhook.ping",
            "PENDING",
        )
        assert sent() == 1
        [heard] = receiver.heard
        assert heard.headers["webhook-id"] == answer.data["message_id"]
        told = client.get(address(endpoint, f"/deliveries/{answer.data['id']}")).data
        assert (told["status"], told["log"][0]["status_code"]) == ("SENT", 204)

    def test_is_tried_once(
        self, endpoint: Any, student: Any, receiver: Receiver, client_of: ClientOf, sent: Sent
    ) -> None:
        receiver.behaviour = answering(500)
        client_of(student).post(address(endpoint, "/ping"))
        assert [sent(), sent()] == [1, 0]
        assert WebhookDelivery.objects.get().status == DeliveryStatus.FAILED

    def test_reaches_an_endpoint_that_is_being_left_alone(
        self, endpoint: Any, student: Any, receiver: Receiver, client_of: ClientOf, sent: Sent
    ) -> None:
        WebhookDeliveryFactory(endpoint=endpoint)
        later = timezone.now() + timedelta(minutes=1)
        Endpoint.objects.update(failures_in_a_row=5, failing_since=timezone.now(), rests_until=later)
        assert sent() == 0
        client_of(student).post(address(endpoint, "/ping"))
        assert sent() == 2, "it is well again, so what waited follows"
        assert Endpoint.objects.get().failing_since is None

    def test_repeated_is_another_message(self, endpoint: Any, student: Any, client_of: ClientOf) -> None:
        first, second = (client_of(student).post(address(endpoint, "/ping")).data for _ in range(2))
        assert first["message_id"] != second["message_id"]

    def test_is_refused_where_the_endpoint_is_disabled(self, student: Any, client_of: ClientOf) -> None:
        disabled = EndpointFactory(owner=student, disabled=True)
        answer = client_of(student).post(address(disabled, "/ping"))
        assert (answer.status_code, answer.data["code"]) == (409, "invalid_state")


class TestList:
    def test_is_of_that_endpoint_newest_first(self, own: Any, student: Any, client_of: ClientOf) -> None:
        WebhookDeliveryFactory(endpoint=EndpointFactory(owner=student))
        newer: Any = WebhookDeliveryFactory(endpoint=own.endpoint)
        listed = client_of(student).get(address(own.endpoint, "/deliveries")).data
        assert [row["id"] for row in listed["results"]] == [str(newer.pk), str(own.pk)]
        assert set(listed) == {"next", "previous", "results"}

    def test_goes_on_by_cursor(self, own: Any, student: Any, client_of: ClientOf) -> None:
        for _ in range(2):
            WebhookDeliveryFactory(endpoint=own.endpoint)
        client = client_of(student)
        first = client.get(address(own.endpoint, "/deliveries?page_size=2")).data
        last = client.get(first["next"]).data
        assert [len(first["results"]), len(last["results"]), last["next"]] == [2, 1, None]

    def test_is_narrowed(self, own: Any, student: Any, client_of: ClientOf) -> None:
        client = client_of(student)
        url = address(own.endpoint, "/deliveries")
        counts = {
            query: len(client.get(f"{url}?{query}").data["results"])
            for query in ("status=PENDING", "status=FAILED", "fact_type=enrollment.activated", "fact_type=x")
        }
        assert list(counts.values()) == [1, 0, 1, 0]
        assert client.get(f"{url}?status=nonsense").status_code == 400

    @pytest.mark.parametrize("count", [1, 5])
    def test_asks_as_often_for_many_as_for_one(
        self, count: int, student: Any, client_of: ClientOf, django_assert_max_num_queries: Any
    ) -> None:
        endpoint = EndpointFactory(owner=student)
        for _ in range(count):
            WebhookDeliveryFactory(endpoint=endpoint)
        client = client_of(student)
        with django_assert_max_num_queries(2):
            assert len(client.get(address(endpoint, "/deliveries")).data["results"]) == count


class TestDetail:
    def test_shows_the_body_and_every_attempt(
        self, own: Any, student: Any, client_of: ClientOf, django_assert_max_num_queries: Any
    ) -> None:
        for number in (1, 2):
            DeliveryAttempt.objects.create(
                delivery=own,
                number=number,
                at=timezone.now(),
                duration_ms=7,
                status_code=500,
                response="sorry",
            )
        client = client_of(student)
        with django_assert_max_num_queries(3):
            told = client.get(log_of(own)).data
        assert told["body"] == own.body
        assert [(a["number"], a["status_code"], a["response"]) for a in told["log"]] == [
            (1, 500, "sorry"),
            (2, 500, "sorry"),
        ]

    def test_is_not_found_under_another_endpoint(self, own: Any, student: Any, client_of: ClientOf) -> None:
        other = EndpointFactory(owner=student)
        client = client_of(student)
        assert client.get(address(other, f"/deliveries/{own.pk}")).status_code == 404
        assert client.post(address(other, f"/deliveries/{own.pk}/redeliver")).status_code == 404


class TestRedelivering:
    def test_sends_the_same_message_again(
        self, endpoint: Any, student: Any, receiver: Receiver, client_of: ClientOf, sent: Sent
    ) -> None:
        delivery = WebhookDeliveryFactory(endpoint=endpoint)
        sent()
        answer = client_of(student).post(log_of(delivery, "/redeliver"))
        assert (answer.status_code, answer.data["redelivery"], answer.data["status"]) == (202, 1, "PENDING")
        assert answer.data["id"] != str(delivery.pk)
        assert sent() == 1
        first, second = receiver.heard
        assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])

    def test_repeated_before_it_is_sent_is_one(self, own: Any, student: Any, client_of: ClientOf) -> None:
        WebhookDelivery.objects.get().finish(DeliveryStatus.FAILED, at=timezone.now())
        client = client_of(student)
        first, second = (client.post(log_of(own, "/redeliver")).data["id"] for _ in range(2))
        assert first == second != str(own.pk)
        assert WebhookDelivery.objects.count() == 2

    def test_of_a_pending_one_hurries_it(self, own: Any, student: Any, client_of: ClientOf) -> None:
        WebhookDelivery.objects.update(next_attempt_at=timezone.now() + timedelta(hours=5))
        answer = client_of(student).post(log_of(own, "/redeliver"))
        assert (answer.status_code, answer.data["id"]) == (202, str(own.pk))
        assert WebhookDelivery.objects.get().next_attempt_at <= timezone.now()

    def test_is_refused_where_the_endpoint_is_disabled(
        self, own: Any, student: Any, client_of: ClientOf
    ) -> None:
        Endpoint.objects.update(status="DISABLED", disabled_at=timezone.now())
        assert client_of(student).post(log_of(own, "/redeliver")).status_code == 409


class TestOwnership:
    @pytest.mark.parametrize(("method", "deed"), [("get", ""), ("post", "/redeliver")])
    @pytest.mark.parametrize(
        ("who", "status"), [("stranger", 404), ("rival", 404), ("staff", 404), ("anonymous", 401)]
    )
    def test_hides_deliveries(
        self,
        who: str,
        status: int,
        method: str,
        deed: str,
        own: Any,
        client_of: ClientOf,
        request: pytest.FixtureRequest,
    ) -> None:
        client = (
            request.getfixturevalue(who) if who == "anonymous" else client_of(request.getfixturevalue(who))
        )
        assert getattr(client, method)(log_of(own, deed)).status_code == status
        assert client.get(address(own.endpoint, "/deliveries")).status_code == status
        assert WebhookDelivery.objects.count() == 1


class TestBudget:
    @pytest.mark.parametrize(
        ("method", "deed", "body", "queries"),
        [
            # Each with what opens and closes its transaction.
            ("patch", "", {"description": "x"}, 5),
            ("delete", "", None, 8),
            ("post", "/rotate-secret", None, 5),
            ("post", "/ping", None, 5),
            ("post", "/deliveries/{delivery}/redeliver", None, 8),
        ],
    )
    def test_holds_for_every_deed(
        self, method: str, deed: str, body: Any, queries: int, own: Any, student: Any, client_of: ClientOf,
        django_assert_max_num_queries: Any,
    ) -> None:  # fmt: skip
        for _ in range(10):
            WebhookDeliveryFactory(endpoint=own.endpoint)
        client = client_of(student)
        with django_assert_max_num_queries(queries):
            answer = getattr(client, method)(address(own.endpoint, deed.format(delivery=own.pk)), body)
        assert answer.status_code < 300

    def test_holds_for_creating(
        self, student: Any, client_of: ClientOf, django_assert_max_num_queries: Any
    ) -> None:
        asked = {"url": "https://hooks.example.org/", "fact_types": ["user.verified"]}
        with django_assert_max_num_queries(5):
            assert client_of(student).post("/api/v1/webhooks", asked).status_code == 201

    def test_holds_for_an_attempt(
        self, endpoint: Any, receiver: Receiver, django_assert_max_num_queries: Any
    ) -> None:
        WebhookDeliveryFactory(endpoint=endpoint)
        # Claim: endpoint, how many are under way, what is due, the lease. Record: both rows, the log, the delivery, the
        # endpoint. Then a claim that finds nothing; each in a transaction of two statements.
        with django_assert_max_num_queries(4 + 5 + 3 + 6):
            assert services.send_due(endpoint_id=endpoint.pk) == 1
