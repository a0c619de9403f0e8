"""/metrics: who may read it, what it says, and what it says when a server is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.tests.signing_in import ME, bearer, log_in
from smartcourse.events.models import Delivery, DeliveryStatus, OutboxFact
from smartcourse.observability import exposition, readings
from smartcourse.queues.models import DeadLetter
from smartcourse.workflows.models import Run, RunStatus

pytestmark = pytest.mark.django_db
TOKEN = "0123456789abcdef0123456789abcdef"
Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def with_token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def scrape(**headers: str) -> Any:
    return Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", **headers})


def numbers() -> Numbers:
    answer = scrape()
    assert answer.status_code == 200, answer.content
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def value(told: Numbers, name: str, **labels: str) -> float:
    return told.get((name, frozenset(labels.items())), 0.0)


def write_fact(*, minutes_old: int) -> OutboxFact:
    return OutboxFact.objects.create(
        id=uuid4(), type="course.created", version=1, aggregate="course", aggregate_id=uuid4(), sequence=1,
        payload={}, occurred_at=timezone.now() - timedelta(minutes=minutes_old),
    )  # fmt: skip


class TestWhoMayRead:
    def test_whoever_has_the_token_by_whatever_host_it_asks(self) -> None:
        answer = scrape(host="10.0.0.7:8000")
        assert (answer.status_code, answer["Content-Type"]) == (200, exposition.CONTENT_TYPE)

    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \udcff"]
    )
    def test_for_anybody_else_there_is_nothing(self, header: str) -> None:
        answer = Client().get("/metrics", headers={"Authorization": header} if header else {})
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert b"smartcourse_" not in answer.content

    def test_nor_for_staff_who_are_signed_in(self, staff: Any) -> None:
        client = Client()
        client.force_login(staff)
        assert client.get("/metrics").status_code == 404
        assert bearer(log_in(staff)["access_token"]).get("/metrics").status_code == 404

    def test_without_a_token_in_the_settings_nobody_has_it(self, settings: Any) -> None:
        settings.METRICS_TOKEN = ""
        assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404

    @pytest.mark.parametrize("method", ["post", "put", "delete", "head", "options"])
    def test_is_read_only(self, method: str) -> None:
        answer = getattr(Client(), method)("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code in (404, 405)


class TestNetworks:
    @pytest.fixture(autouse=True)
    def inside(self, settings: Any) -> None:
        settings.METRICS_NETWORKS = ["10.0.0.0/8"]

    @pytest.mark.parametrize(("address", "status"), [("10.1.2.3", 200), ("127.0.0.1", 404), ("", 404)])
    def test_may_be_named_that_need_no_token(self, address: str, status: int) -> None:
        assert Client(REMOTE_ADDR=address).get("/metrics").status_code == status

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"])
    def test_lend_nothing_to_who_comes_through_a_proxy_in_them(self, header: str) -> None:
        answer = Client(REMOTE_ADDR="10.1.2.3").get("/metrics", headers={header: "10.1.2.4"})
        assert answer.status_code == 404


class TestRequests:
    def test_are_counted_by_route_method_and_status(self) -> None:
        name, route = "smartcourse_http_request_duration_seconds_count", "api/v1/courses/<uuid:pk>"
        before, asked = numbers(), [str(uuid4()) for _ in range(3)]
        for course in asked:
            Client().get(f"/api/v1/courses/{course}?page=rare-word")
        told = numbers()
        labels = {"method": "GET", "route": route, "status": "404"}
        assert value(told, name, **labels) - value(before, name, **labels) == 3
        assert not any(word in str(key) for key in told for word in (*asked, "rare-word"))

    def test_add_no_row_for_what_a_client_makes_up(self) -> None:
        name = "smartcourse_http_request_duration_seconds_count"
        for number in range(3):
            Client().generic(f"MADE-UP-{number}", f"/nowhere/{number}")
        told = {dict(labels)["method"] for (told, labels) in numbers() if told == name}
        assert "other" in told
        assert not any("MADE" in method for method in told)
        assert "unrouted" in {dict(labels)["route"] for (told, labels) in numbers() if told == name}

    def test_that_end_in_a_bug_are_counted_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from smartcourse.observability.health import HealthView

        monkeypatch.setattr(HealthView, "get", lambda *_: 1 / 0)
        labels = {"method": "GET", "route": "api/v1/health", "status": "500"}
        before = value(numbers(), "smartcourse_http_request_duration_seconds_count", **labels)
        Client(raise_request_exception=False).get("/api/v1/health")
        assert value(numbers(), "smartcourse_http_request_duration_seconds_count", **labels) == before + 1


class TestCaches:
    def test_tell_what_was_found_in_them(self, student: Any, settings: Any) -> None:
        client = bearer(log_in(student)["access_token"])
        before = numbers()
        for _ in range(3):
            assert client.get(ME).status_code == 200
        after = numbers()

        def looks(result: str) -> float:
            labels = {"cache": "session", "result": result}
            name = "smartcourse_cache_requests_total"
            return value(after, name, **labels) - value(before, name, **labels)

        assert looks("hit") + looks("miss") + looks("away") == 3


class TestState:
    def test_tells_of_facts_deliveries_processes_and_dead_letters(self) -> None:
        fact = write_fact(minutes_old=5)
        for status, subscriber in [
            ("PENDING", "one"),
            ("PARKED", "two"),
            ("PARKED", "three"),
            ("HANDLED", "four"),
        ]:
            Delivery.objects.create(
                fact=fact, position=1, subscriber=subscriber, status=DeliveryStatus(status)
            )
        for number, status in enumerate((RunStatus.FAILED, RunStatus.FAILED, RunStatus.WAITING)):
            Run.objects.create(process="publishing", subject_id=uuid4(), key=str(number), status=status)
        DeadLetter.objects.create(task_id="x", task="t", queue="default", cause="c", died_at=timezone.now())
        told = numbers()
        assert value(told, "smartcourse_outbox_backlog") == 1
        assert 299 < value(told, "smartcourse_outbox_lag_seconds") < 330
        assert value(told, "smartcourse_deliveries_pending") == 1
        assert value(told, "smartcourse_deliveries_parked", subscriber="two") == 1
        assert value(told, "smartcourse_workflow_failures_total", process="publishing") == 2
        assert value(told, "smartcourse_workflow_runs", process="publishing", status="WAITING") == 1
        assert ("smartcourse_workflow_failures_total", frozenset({("process", "certification")})) in told
        assert value(told, "smartcourse_dead_letters") == 1
        assert sum(v for (name, _), v in told.items() if name == "smartcourse_database_connections") >= 1

    def test_of_a_clock_that_is_ahead_is_no_negative_lag(self) -> None:
        write_fact(minutes_old=-60)
        assert value(numbers(), "smartcourse_outbox_lag_seconds") == 0

    def test_names_the_release(self, settings: Any) -> None:
        settings.SMARTCOURSE_VERSION = "1.2.3"
        assert any(
            name == "smartcourse_build_info" and ("version", "1.2.3") in labels for name, labels in numbers()
        )

    def test_costs_as_many_queries_however_much_there_is(self) -> None:
        def cost() -> int:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                scrape()
            return len(queries)

        few = cost()
        for number in range(20):
            fact = write_fact(minutes_old=number)
            Delivery.objects.create(
                fact=fact, position=1, subscriber=f"s{number}", status=DeliveryStatus.PARKED
            )
            Run.objects.create(
                process="publishing", subject_id=uuid4(), key=str(number), status=RunStatus.FAILED
            )
        assert (few, cost()) == (5, 5)


class TestServersAway:
    @pytest.mark.parametrize("away", ["database", "redis", "broker"])
    def test_leave_the_numbers_of_the_others(self, away: str, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def broken() -> Iterator[readings.Family]:
            asked.append(away)
            raise DatabaseError("gone")
            yield

        monkeypatch.setattr(
            readings,
            "_readings",
            [(server, broken if server == away else read) for server, read in readings._readings],
        )
        # There is a duration to tell of once a request was answered.
        Client().get("/api/v1/health")
        told = numbers()
        up = {
            server: value(told, "smartcourse_server_up", server=server)
            for server in ("database", "redis", "broker")
        }
        assert up == {"database": 1.0, "redis": 1.0, "broker": 1.0} | {away: 0.0}
        # A server that is away is waited for once.
        assert len(asked) == 1
        assert any(name == "smartcourse_http_request_duration_seconds_count" for name, _ in told)
        assert ("smartcourse_outbox_backlog", frozenset()) in told or away == "database"
