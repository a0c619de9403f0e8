"""Webhooks in the back office."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from smartcourse.webhooks.models import DeliveryAttempt, DeliveryStatus, Endpoint, WebhookDelivery
from smartcourse.webhooks.tests.factories import EndpointFactory, WebhookDeliveryFactory

pytestmark = pytest.mark.django_db
ENDPOINTS = "/admin/webhooks/endpoint/"
DELIVERIES = "/admin/webhooks/webhookdelivery/"


@pytest.fixture
def back_office(client: Client, staff: Any) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture
def endpoint(student: Any) -> Any:
    return EndpointFactory(owner=student, description="My sheet")


@pytest.fixture
def delivery(endpoint: Any) -> Any:
    delivery = WebhookDeliveryFactory(endpoint=endpoint, attempts=2)
    for number in (1, 2):
        DeliveryAttempt.objects.create(
            delivery=delivery, number=number, at=timezone.now(), duration_ms=12, status_code=500,
            response="<script>alert(1)</script>",
        )  # fmt: skip
    return delivery


def act(client: Client, url: str, action: str, *rows: Any) -> str:
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(url, body, follow=True).content.decode()


class TestPages:
    @pytest.mark.parametrize("count", [1, 6])
    def test_of_endpoints_ask_as_often_for_many_as_for_one(
        self, count: int, back_office: Client, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(count):
            WebhookDeliveryFactory()
        with django_assert_max_num_queries(7):
            page = back_office.get(ENDPOINTS).content.decode()
        assert page.count("hooks.example.org</a>") == count

    @pytest.mark.parametrize("count", [1, 6])
    def test_of_deliveries_ask_as_often_for_many_as_for_one(
        self, count: int, back_office: Client, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(count):
            WebhookDeliveryFactory()
        with django_assert_max_num_queries(7):
            assert back_office.get(DELIVERIES).context["cl"].result_count == count

    def test_of_an_endpoint_tells_how_it_is(
        self, back_office: Client, endpoint: Any, delivery: Any, django_assert_max_num_queries: Any
    ) -> None:
        Endpoint.objects.update(failing_since=timezone.now(), failures_in_a_row=2)
        with django_assert_max_num_queries(8):
            page = back_office.get(f"{ENDPOINTS}{endpoint.pk}/change/").content.decode()
        assert "Failing since" in page
        assert "1 pending, 0 failed" in page
        link = f"{DELIVERIES}?endpoint__id__exact={endpoint.pk}"
        assert link in page
        WebhookDeliveryFactory()
        assert back_office.get(link).context["cl"].result_count == 1

    def test_of_a_delivery_shows_every_attempt_as_text(
        self, back_office: Client, delivery: Any, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(9):
            page = back_office.get(f"{DELIVERIES}{delivery.pk}/change/").content.decode()
        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
        assert "<script>alert" not in page
        assert "&quot;type&quot;: &quot;enrollment.activated&quot;" in page

    def test_show_no_secret_and_no_path_of_a_persons_url(
        self, back_office: Client, endpoint: Any, delivery: Any
    ) -> None:
        endpoint.rotate_secret(at=timezone.now(), overlap=timedelta(days=1))
        addresses = (
            ENDPOINTS,
            f"{ENDPOINTS}{endpoint.pk}/change/",
            DELIVERIES,
            f"{DELIVERIES}{delivery.pk}/change/",
        )
        for address in addresses:
            page = back_office.get(address).content.decode()
            assert "whsec_" not in page
            assert endpoint.secret[6:] not in page
            assert "of-the-owner" not in page

    def test_are_searched(self, back_office: Client, delivery: Any) -> None:
        WebhookDeliveryFactory()
        assert back_office.get(f"{ENDPOINTS}?q=sheet").context["cl"].result_count == 1
        assert back_office.get(f"{DELIVERIES}?q={delivery.fact_id}").context["cl"].result_count == 1

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("health=well", 1),
            ("health=failing", 1),
            ("health=disabled", 1),
            ("of=platform", 1),
            ("of=people", 2),
            ("", 3),
        ],
    )
    def test_of_endpoints_are_narrowed(self, query: str, count: int, back_office: Client) -> None:
        EndpointFactory(failing_since=timezone.now())
        EndpointFactory(disabled=True)
        EndpointFactory(platform=True)
        assert back_office.get(f"{ENDPOINTS}?{query}").context["cl"].result_count == count

    def test_of_deliveries_are_narrowed(self, back_office: Client, delivery: Any) -> None:
        WebhookDeliveryFactory(fact_type="webhook.ping")
        assert back_office.get(f"{DELIVERIES}?fact_type=webhook.ping").context["cl"].result_count == 1

    @pytest.mark.parametrize(("who", "status"), [("instructor", 403), ("student", 302)])
    def test_are_for_staff(
        self, who: str, status: int, client: Client, endpoint: Any, request: pytest.FixtureRequest
    ) -> None:
        client.force_login(request.getfixturevalue(who))
        assert client.get(ENDPOINTS).status_code == client.get(DELIVERIES).status_code == status


class TestActions:
    def test_disable_and_enable(self, back_office: Client, endpoint: Any) -> None:
        assert "is disabled" in act(back_office, ENDPOINTS, "disable_selected", endpoint)
        assert Endpoint.objects.get().disabled_reason == "Switched off by hand."
        assert "is enabled" in act(back_office, ENDPOINTS, "enable_selected", endpoint)
        assert Endpoint.objects.get().is_enabled

    def test_ping(self, back_office: Client, endpoint: Any) -> None:
        disabled = EndpointFactory(disabled=True)
        said = act(back_office, ENDPOINTS, "ping_selected", endpoint, disabled)
        assert "is being pinged" in said
        assert "This endpoint is disabled" in said
        assert WebhookDelivery.objects.get().fact_type == "webhook.ping"

    def test_rotate_without_telling_the_secret(self, back_office: Client, endpoint: Any) -> None:
        said = act(back_office, ENDPOINTS, "rotate_selected", endpoint)
        rotated = Endpoint.objects.get()
        assert rotated.previous_secret == endpoint.secret != rotated.secret
        assert "has a new secret" in said
        assert "whsec_" not in said

    def test_are_buttons_of_the_page(self, back_office: Client, endpoint: Any) -> None:
        page = back_office.get(f"{ENDPOINTS}{endpoint.pk}/change/").content.decode()
        assert [label in page for label in (">Ping<", ">Disable<", ">Enable<")] == [True, True, False]

    def test_redeliver(self, back_office: Client, delivery: Any) -> None:
        WebhookDelivery.objects.get().finish(DeliveryStatus.FAILED, at=timezone.now())
        assert "is being sent again" in act(back_office, DELIVERIES, "redeliver_selected", delivery)
        assert WebhookDelivery.objects.pending().get().redelivery == 1

    def test_change_nothing_by_a_form(self, back_office: Client, endpoint: Any) -> None:
        answer = back_office.post(f"{ENDPOINTS}{endpoint.pk}/change/", {"url": "https://evil.example/"})
        assert answer.status_code == 403
        assert Endpoint.objects.get().url == endpoint.url
