"""Dead letters: kept once, seen by staff with their cause, sent again or left undone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu import Producer

from smartcourse.queues.dead_letters import (
    collect_dead_letters,
    discard_letters,
    record,
    record_failure,
    redrive_letters,
)
from smartcourse.queues.dispatch import publisher, send_now
from smartcourse.queues.models import DeadLetter, DeadLetterStatus
from smartcourse.queues.tests.conftest import AppOf
from smartcourse.queues.topology import DEAD_QUEUE, THE_DEAD, is_rabbitmq

pytestmark = pytest.mark.django_db


def letter(
    task_id: str = "t-1", *, task: str = "certificates.render", queue: str = "certificates"
) -> DeadLetter:
    record(
        task_id=task_id, task=task, queue=queue, cause="ValueError: no font", details="Traceback ...",
        arguments={"certificate_id": "c-1"}, request_id="req-1", died_at=timezone.now(),
    )  # fmt: skip
    return DeadLetter.objects.get(task_id=task_id)


@pytest.fixture
def sent(app_of: AppOf, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a broker in memory was sent."""
    app = app_of("memory://")
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(app, "send_task", lambda name, **how: messages.append({"name": name, **how}))
    return messages


class TestRecord:
    def test_keeps_a_death_once(self) -> None:
        letter()
        assert not record(
            task_id="t-1",
            task="certificates.render",
            queue="certificates",
            cause="again",
            died_at=timezone.now(),
        )
        assert DeadLetter.objects.get().cause == "ValueError: no font"

    def test_keeps_no_sweeper_whose_next_tick_is_its_retry(self) -> None:
        current_app.loader.import_default_modules()
        sweeper = current_app.tasks["queues.sweep_scheduled_runs"]
        record_failure(sender=sweeper, task_id="t-2", exception=ValueError(), kwargs={})
        assert not DeadLetter.objects.exists()

    def test_is_left_to_no_task_without_a_soft_limit_below_its_hard_one(self) -> None:
        # A retry is refused for such a task: what was meant for a task's own limit is then compared with the default.
        current_app.loader.import_default_modules()
        own = [task for name, task in current_app.tasks.items() if not name.startswith("celery.")]
        assert [task.name for task in own if not (task.soft_time_limit or 0) < (task.time_limit or 0)] == []
        assert [task.name for task in own if not task.soft_time_limit] == []


class TestCollect:
    @pytest.fixture
    def rabbitmq(self, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Producer]:
        monkeypatch.setattr(current_app.conf, "broker_url", rabbitmq_url)
        with current_app.connection_for_write(
            rabbitmq_url, transport_options={"confirm_publish": True}
        ) as link:
            DEAD_QUEUE(link.default_channel).declare()
            yield Producer(link, exchange=THE_DEAD)

    def put(self, producer: Producer, reason: str, task_id: str, body: Any = None) -> None:
        death = {"reason": reason, "queue": "emails", "count": 1, "exchange": "x", "routing-keys": ["emails"]}
        headers = {
            "id": task_id,
            "task": "notifications.send_message",
            "x-death": [death],
            "request_id": "req-9",
        }
        producer.publish(body or [[], {"message_id": "m-1"}, {}], headers=headers, serializer="json")

    def test_turns_messages_into_rows_and_leaves_none_behind(self, rabbitmq: Producer) -> None:
        self.put(rabbitmq, "delivery_limit", "t-1")
        self.put(rabbitmq, "rejected", "t-2", body="what is this")
        assert collect_dead_letters() == 2
        killed, refused = DeadLetter.objects.order_by("task_id")
        assert killed.cause == "its worker was killed, again and again (delivery_limit)"
        assert (killed.queue, killed.request_id) == ("emails", "req-9")
        assert killed.arguments == {"message_id": "m-1"}
        assert refused.arguments == {}
        assert collect_dead_letters() == 0

    def test_drops_hints_that_expired(self, rabbitmq: Producer) -> None:
        self.put(rabbitmq, "expired", "t-1")
        assert collect_dead_letters() == 1
        assert not DeadLetter.objects.exists()

    def test_has_nothing_to_collect_on_redis(self, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(current_app.conf, "broker_url", redis_url)
        assert not is_rabbitmq(redis_url)
        assert collect_dead_letters() == 0


class TestRedrive:
    def test_sends_a_task_again_and_says_who_did(self, sent: list[dict[str, Any]], staff) -> None:
        dead = letter()
        assert redrive_letters(DeadLetter.objects.all(), by=staff) == 1
        [message] = sent
        assert (message["name"], message["queue"]) == ("certificates.render", "certificates")
        assert message["kwargs"] == {"certificate_id": "c-1"}
        assert message["headers"] == {"request_id": "req-1"}
        dead.refresh_from_db()
        assert (dead.status, dead.settled_by) == (DeadLetterStatus.REDRIVEN, staff)
        assert redrive_letters(DeadLetter.objects.all()) == 0

    def test_leaves_a_letter_open_that_no_broker_takes(self, app_of: AppOf) -> None:
        app_of("amqp://127.0.0.1:1//")
        dead = letter()
        assert redrive_letters(DeadLetter.objects.all()) == 0
        dead.refresh_from_db()
        assert dead.status == DeadLetterStatus.OPEN

    def test_is_not_done_to_what_was_discarded(self, sent: list[dict[str, Any]], staff) -> None:
        letter()
        assert discard_letters(DeadLetter.objects.all(), by=staff) == 1
        assert redrive_letters(DeadLetter.objects.all()) == 0
        assert sent == []

    def test_by_command_takes_a_task_a_queue_or_a_dry_run(self, sent: list[dict[str, Any]]) -> None:
        letter("t-1")
        letter("t-2", task="notifications.send_message", queue="emails")

        def told(*words: str) -> Any:
            output = io.StringIO()
            call_command("redrive_tasks", *words, "--json", stdout=output)
            return json.loads(output.getvalue())

        assert told("--dry-run") == {"dead": 2, "redriven": 0}
        assert told("--queue=emails") == {"dead": 1, "redriven": 1}
        assert told("--task=certificates.render") == {"dead": 1, "redriven": 1}
        assert told() == {"dead": 0, "redriven": 0}


class TestBackOffice:
    @pytest.fixture
    def office(self, client: Client, staff) -> Client:
        client.force_login(staff)
        return client

    def act(self, office: Client, action: str, dead: DeadLetter) -> str:
        answer = office.post(
            reverse("admin:queues_deadletter_changelist"),
            {"action": action, "_selected_action": [str(dead.pk)]},
            follow=True,
        )
        return answer.content.decode()

    def test_shows_the_cause(self, office: Client, django_assert_max_num_queries) -> None:
        dead = letter()
        for number in range(20):
            letter(f"more-{number}")
        with django_assert_max_num_queries(9):
            page = office.get(reverse("admin:queues_deadletter_changelist")).content.decode()
        assert "ValueError: no font" in page
        page = office.get(reverse("admin:queues_deadletter_change", args=[dead.pk])).content.decode()
        assert "Traceback ..." in page

    def test_filters_by_task_and_queue(self, office: Client) -> None:
        letter("t-1")
        letter("t-2", task="notifications.send_message", queue="emails")
        page = office.get(reverse("admin:queues_deadletter_changelist"), {"queue": "emails"})
        assert [row.task_id for row in page.context["cl"].result_list] == ["t-2"]

    def test_redrives(self, office: Client, sent: list[dict[str, Any]]) -> None:
        dead = letter()
        assert "1 dead letter sent again" in self.act(office, "redrive_selected", dead)
        assert len(sent) == 1

    def test_says_so_where_the_broker_does_not_answer(self, office: Client, app_of: AppOf) -> None:
        app_of("amqp://127.0.0.1:1//")
        assert "the broker does not answer" in self.act(office, "redrive_selected", letter())

    def test_discards(self, office: Client) -> None:
        assert "1 dead letter left undone" in self.act(office, "discard_selected", letter())
        assert DeadLetter.objects.get().status == DeadLetterStatus.DISCARDED

    @pytest.mark.parametrize("name", ["periodictask", "intervalschedule", "crontabschedule"])
    def test_lets_staff_change_the_schedule_and_no_teacher(
        self, office: Client, instructor, name: str
    ) -> None:
        for page in ("changelist", "add"):
            assert office.get(reverse(f"admin:django_celery_beat_{name}_{page}")).status_code == 200
        office.force_login(instructor)
        assert office.get(reverse(f"admin:django_celery_beat_{name}_changelist")).status_code == 403


def test_a_message_is_sent_by_the_publisher(app_of: AppOf) -> None:
    app_of("memory://")
    assert send_now("notifications.none", queue="emails", arguments={})
    publisher().close()
