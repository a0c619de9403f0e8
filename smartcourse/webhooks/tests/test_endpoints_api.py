"""Keeping endpoints over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from enrollments.tests.concurrency import at_once
from smartcourse.testing.fixtures import ClientOf
from smartcourse.webhooks import services
from smartcourse.webhooks.models import Endpoint, EndpointStatus
from smartcourse.webhooks.tests.factories import EndpointFactory, WebhookDeliveryFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/webhooks"
ASKED: dict[str, Any] = {
    "url": "https://hooks.example.org/in",
    "fact_types": ["enrollment.activated", "course.published"],
}


def address(endpoint: Any, deed: str = "") -> str:
    return f"{URL}/{endpoint.pk}{deed}"


@pytest.fixture
def own(student: Any) -> Any:
    return EndpointFactory(owner=student)


class TestCreating:
    def test_answers_with_the_secret_once(self, student: Any, client_of: ClientOf) -> None:
        client = client_of(student)
        answer = client.post(URL, {**ASKED, "description": "My sheet"})
        assert answer.status_code == 201
        created = Endpoint.objects.get()
        assert (created.owner, created.status) == (student, EndpointStatus.ENABLED)
        assert answer.data["secret"] == created.secret
        assert created.secret.startswith("whsec_")
        assert len(created.secret) == len("whsec_") + 44
        assert answer.data["fact_types"] == ["course.published", "enrollment.activated"]
        for later in (client.get(address(created)), client.get(URL)):
            assert created.secret not in later.content.decode()

    def test_refuses_anonymous_visitors(self, anonymous: Any) -> None:
        assert anonymous.post(URL, ASKED).status_code == 401

    @pytest.mark.parametrize(
        ("who", "status"), [("student", 403), ("instructor", 403), ("staff", 201), ("administrator", 201)]
    )
    def test_of_the_platforms_own_is_for_staff(
        self, who: str, status: int, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        answer = client_of(request.getfixturevalue(who)).post(
            URL, {**ASKED, "platform": True, "fact_types": ["workflow.failed"]}
        )
        assert answer.status_code == status
        if status == 201:
            assert answer.data["is_platform"] is True
            assert Endpoint.objects.get().owner is None

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"url": None}, "url"), ({"url": ""}, "url"), ({"url": "https://e.example/" + "x" * 2000}, "url"),
            ({"fact_types": []}, "fact_types"), ({"fact_types": ["no.such_fact"]}, "fact_types"),
            ({"fact_types": ["workflow.failed"]}, "fact_types"), ({"fact_types": ["webhook.ping"]}, "fact_types"),
            ({"fact_types": "*"}, "fact_types"),
            ({"fact_types": ["payment.succeeded"]}, "fact_types"), ({"description": "x" * 201}, "description"),
            ({"secret": "whsec_mine"}, "secret"), ({"owner": "x"}, "owner"),
        ],
    )  # fmt: skip
    def test_refuses_what_makes_no_sense(
        self, changes: dict[str, Any], field: str, student: Any, client_of: ClientOf
    ) -> None:
        answer = client_of(student).post(URL, ASKED | changes)
        unknown = field == "fact_types" and changes[field] not in ([], "*")
        assert answer.status_code == (422 if unknown else 400)
        assert {error["field"].split(".")[0] for error in answer.json()["errors"]} == {field}
        assert not Endpoint.objects.exists()

    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.example.org/", "https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/",
            "https://[::ffff:10.0.0.1]/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/",
            "https://017700000001/", "https://localhost/", "https://a.localhost/", "https://db.internal/",
            "https://user:pw@example.org/", "https://example.org:22/", "ftp://example.org/", "no url at all",
            "https://example.org/\\@10.0.0.1/",
        ],
    )  # fmt: skip
    def test_refuses_addresses_that_are_not_of_the_public_internet(
        self, url: str, student: Any, client_of: ClientOf
    ) -> None:
        answer = client_of(student).post(URL, {**ASKED, "url": url})
        assert (answer.status_code, answer.data["code"]) == (422, "address_refused")

    def test_repeated_makes_another_up_to_twenty(
        self, student: Any, stranger: Any, client_of: ClientOf
    ) -> None:
        client = client_of(student)
        assert [client.post(URL, ASKED).status_code for _ in range(20)] == [201] * 20
        answer = client.post(URL, ASKED)
        assert (answer.status_code, answer.data["code"]) == (422, "too_many_endpoints")
        assert client_of(stranger).post(URL, ASKED).status_code == 201
        assert len(set(Endpoint.objects.values_list("secret", flat=True))) == 21


@pytest.mark.django_db(transaction=True)
class TestCreatingAtOnce:
    @pytest.mark.parametrize("platform", [False, True])
    def test_ends_at_twenty(self, platform: bool, student: Any) -> None:
        def create(_: int) -> bool:
            try:
                services.create_endpoint(owner_id=None if platform else student.pk, **ASKED)
            except services.TooManyEndpoints:
                return False
            return True

        assert sum(at_once(create, range(40))) == 20
        assert Endpoint.objects.count() == 20


class TestListing:
    def test_shows_ones_own_newest_first(self, student: Any, own: Any, client_of: ClientOf) -> None:
        EndpointFactory()
        EndpointFactory(platform=True)
        newer: Any = EndpointFactory(owner=student)
        listed = client_of(student).get(URL).data
        assert [row["id"] for row in listed["results"]] == [str(newer.pk), str(own.pk)]
        assert set(listed) == {"next", "previous", "results"}

    def test_shows_staff_the_platforms_and_not_other_peoples(
        self, staff: Any, own: Any, client_of: ClientOf
    ) -> None:
        platform: Any = EndpointFactory(platform=True)
        listed = client_of(staff).get(URL).data["results"]
        assert [row["id"] for row in listed] == [str(platform.pk)]

    def test_refuses_anonymous_visitors(self, anonymous: Any) -> None:
        assert anonymous.get(URL).status_code == 401

    @pytest.mark.parametrize("count", [1, 5])
    def test_asks_as_often_for_many_as_for_one(
        self, count: int, student: Any, client_of: ClientOf, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(count):
            EndpointFactory(owner=student)
        client = client_of(student)
        with django_assert_max_num_queries(1):
            assert len(client.get(URL).data["results"]) == count


DEEDS = [("get", ""), ("patch", ""), ("delete", ""), ("post", "/rotate-secret"), ("post", "/ping")]


class TestOwnership:
    @pytest.mark.parametrize(("method", "deed"), DEEDS)
    @pytest.mark.parametrize("who", ["stranger", "instructor", "staff", "administrator"])
    def test_hides_a_persons_endpoint_from_everybody_else(
        self, who: str, method: str, deed: str, own: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        client = client_of(request.getfixturevalue(who))
        assert getattr(client, method)(address(own, deed), {}).status_code == 404
        own.refresh_from_db()
        assert own.previous_secret == ""

    @pytest.mark.parametrize(("method", "deed"), DEEDS)
    def test_hides_the_platforms_from_all_but_staff(
        self, method: str, deed: str, student: Any, staff: Any, client_of: ClientOf
    ) -> None:
        platform = EndpointFactory(platform=True)
        assert getattr(client_of(student), method)(address(platform, deed), {}).status_code == 404
        assert getattr(client_of(staff), method)(address(platform, deed), {}).status_code < 300

    @pytest.mark.parametrize(("method", "deed"), DEEDS)
    def test_is_of_people_who_signed_in(self, method: str, deed: str, own: Any, anonymous: Any) -> None:
        assert getattr(anonymous, method)(address(own, deed), {}).status_code == 401


class TestReading:
    def test_shows_all_but_the_secret(
        self, student: Any, own: Any, client_of: ClientOf, django_assert_max_num_queries: Any
    ) -> None:
        client = client_of(student)
        with django_assert_max_num_queries(1):
            answer = client.get(address(own))
        assert (answer.status_code, answer.data["url"], answer.data["is_platform"]) == (200, own.url, False)
        assert not [name for name in answer.data if name.endswith("secret")]


class TestChanging:
    def test_takes_what_is_sent_and_leaves_the_rest(
        self, student: Any, own: Any, client_of: ClientOf
    ) -> None:
        client = client_of(student)
        for _ in range(2):
            answer = client.patch(address(own), {"fact_types": ["course.published"], "description": "Sheet"})
            assert answer.status_code == 200
            assert (answer.data["fact_types"], answer.data["description"]) == (["course.published"], "Sheet")
        assert answer.data["url"] == own.url

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"url": "https://10.0.0.1/"}, 422), ({"url": ""}, 400), ({"fact_types": ["no.such"]}, 422),
            ({"fact_types": ["workflow.failed"]}, 422), ({"status": "GONE"}, 400), ({"platform": True}, 400),
            ({"secret": "x"}, 400), ({"failing_since": None}, 400),
        ],
    )  # fmt: skip
    def test_refuses_what_makes_no_sense(
        self, body: dict[str, Any], status: int, student: Any, own: Any, client_of: ClientOf
    ) -> None:
        assert client_of(student).patch(address(own), body).status_code == status
        assert Endpoint.objects.get().url == own.url

    def test_switches_it_off_and_on_again(self, student: Any, own: Any, client_of: ClientOf) -> None:
        client = client_of(student)
        for _ in range(2):
            off = client.patch(address(own), {"status": "DISABLED"}).data
            assert (off["status"], off["disabled_reason"]) == ("DISABLED", "Switched off by hand.")
        Endpoint.objects.update(failing_since=timezone.now(), failures_in_a_row=9, rests_until=timezone.now())
        for _ in range(2):
            on = client.patch(address(own), {"status": "ENABLED"}).data
            assert (on["status"], on["disabled_reason"], on["failing_since"]) == ("ENABLED", "", None)
        assert Endpoint.objects.get().failures_in_a_row == 0


class TestDeleting:
    def test_takes_everything_along(self, student: Any, own: Any, client_of: ClientOf) -> None:
        WebhookDeliveryFactory(endpoint=own)
        client = client_of(student)
        assert [client.delete(address(own)).status_code for _ in range(2)] == [204, 404]
        assert not Endpoint.objects.exists()


class TestRotating:
    def test_answers_with_the_new_secret_and_keeps_the_former_for_a_day(
        self, student: Any, own: Any, client_of: ClientOf
    ) -> None:
        answer = client_of(student).post(address(own, "/rotate-secret"))
        assert answer.status_code == 200
        rotated = Endpoint.objects.get()
        assert answer.data["secret"] == rotated.secret != own.secret
        assert rotated.previous_secret == own.secret
        assert rotated.signing_secrets(at=timezone.now()) == [rotated.secret, own.secret]
        assert rotated.signing_secrets(at=timezone.now() + timedelta(days=1, seconds=1)) == [rotated.secret]
        assert own.secret not in answer.content.decode()

    def test_repeated_forgets_the_one_before_the_former(
        self, student: Any, own: Any, client_of: ClientOf
    ) -> None:
        client = client_of(student)
        first, second = (client.post(address(own, "/rotate-secret")).data["secret"] for _ in range(2))
        assert Endpoint.objects.get().signing_secrets(at=timezone.now()) == [second, first]


class TestFactTypes:
    URL = f"{URL}/fact-types"

    def types(self, client: Any) -> set[str]:
        answer = client.get(self.URL)
        assert answer.status_code == 200
        assert all(row["description"] and row["version"] >= 1 for row in answer.data)
        return {row["type"] for row in answer.data}

    def test_are_those_about_people_for_people(self, student: Any, client_of: ClientOf) -> None:
        types = self.types(client_of(student))
        assert {"enrollment.activated", "course.updated", "certificate.issued", "user.verified"} <= types
        assert "workflow.failed" not in types

    def test_are_all_for_staff(self, staff: Any, client_of: ClientOf) -> None:
        assert "workflow.failed" in self.types(client_of(staff))

    def test_refuse_anonymous_visitors(self, anonymous: Any) -> None:
        assert anonymous.get(self.URL).status_code == 401

    def test_cost_no_query(
        self, student: Any, client_of: ClientOf, django_assert_max_num_queries: Any
    ) -> None:
        client = client_of(student)
        client.get(self.URL)
        with django_assert_max_num_queries(1):
            client.get(self.URL)
