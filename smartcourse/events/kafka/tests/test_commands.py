"""The commands of the sink: what they say, and how they refuse."""

from __future__ import annotations

import io
import json
import runpy
import sys

import pytest
from django.core.management import CommandError, call_command

from smartcourse.db.identifiers import uuid7
from smartcourse.events.kafka.drain import Drain
from smartcourse.events.kafka.tests.cluster import MockCluster
from smartcourse.events.kafka.tests.conftest import Reader, many_courses, rename
from smartcourse.events.kafka.tests.controller import Controller
from smartcourse.events.models import Delivery, DeliveryStatus
from smartcourse.settings import kafka as kafka_settings

COMMANDS = (["kafka_sink"], ["kafka_topics"], ["kafka_consume", "--group", "any", "--topic", "user.events"])


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
class TestConfiguration:
    def test_asks_for_servers(self, settings, monkeypatch, command: list[str]) -> None:
        settings.KAFKA_BOOTSTRAP_SERVERS = ""
        monkeypatch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(CommandError, match="KAFKA_BOOTSTRAP_SERVERS is not set"):
            run(*command)

    def test_asks_for_the_optional_package(self, settings, monkeypatch, command: list[str]) -> None:
        settings.KAFKA_BOOTSTRAP_SERVERS = "kafka.invalid:9092"
        monkeypatch.setattr("signal.signal", lambda *_: None)
        monkeypatch.setitem(sys.modules, "confluent_kafka", None)
        with pytest.raises(CommandError, match=r"pip install 'smartcourse\[kafka\]'"):
            run(*command)

    def test_refuses_a_map_of_topics_that_are_none(self, settings, monkeypatch, command: list[str]) -> None:
        settings.KAFKA_BOOTSTRAP_SERVERS = "kafka.invalid:9092"
        settings.KAFKA_TOPIC_NAMES = {"courses": "smartcourse.course-events"}
        monkeypatch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(CommandError, match="no topic: courses"):
            run(*command)


class TestSettings:
    def test_hands_the_client_its_own_settings(self, monkeypatch) -> None:
        monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
        monkeypatch.setenv("KAFKA_SASL_PASSWORD", "open, sesame")
        monkeypatch.setenv("KAFKA_SSL_CA_LOCATION", "/etc/ssl/kafka.pem")
        monkeypatch.setenv("KAFKA_TOPIC_NAMES", "course.events=smartcourse.course-events,user.events=people")
        read = runpy.run_path(kafka_settings.__file__)
        assert read["KAFKA_SECURITY"] == {
            "security.protocol": "SASL_SSL",
            "sasl.password": "open, sesame",
            "ssl.ca.location": "/etc/ssl/kafka.pem",
        }
        assert read["KAFKA_TOPIC_NAMES"] == {
            "course.events": "smartcourse.course-events",
            "user.events": "people",
        }

    def test_says_which_setting_is_wrong_and_no_secret(self, settings) -> None:
        settings.KAFKA_BOOTSTRAP_SERVERS = "kafka.invalid:9092"
        settings.KAFKA_SECURITY = {"sasl.password": "open, sesame", "sasl.spell": "abracadabra"}
        with pytest.raises(CommandError, match=r'No such configuration property: "sasl\.spell"') as refusal:
            run("kafka_topics")
        assert "open" not in str(refusal.value)


class TestTopics:
    def test_says_what_it_would_create(self, settings) -> None:
        settings.KAFKA_TOPIC_PREFIX = "lms."
        with MockCluster(topics={"lms.user.events": 3, "lms.course.events": 1}) as cluster:
            settings.KAFKA_BOOTSTRAP_SERVERS = cluster.servers
            lines = run("kafka_topics", "--dry-run").splitlines()
        assert lines[:3] == [
            "lms.user.events is there, with 3 partitions",
            "lms.course.events is there, with 1 partitions instead of 6",
            "lms.enrollment.events would be created: 6 partitions, 7 days",
        ]

    def test_gives_partitions_and_retention_as_json(self, settings) -> None:
        with MockCluster() as cluster:
            settings.KAFKA_BOOTSTRAP_SERVERS = cluster.servers
            told = json.loads(run("kafka_topics", "--dry-run", "--json", "--dead-letters"))
        assert [each["partitions"] for each in told] == [3, 6, 6, 12, 3, 3, 3] * 2
        assert [each["retention_days"] for each in told] == [7, 7, 7, 3, 7, 7, 30] * 2
        assert told[7]["topic"] == "user.events.dlq"

    def test_creates_them_as_the_product_says_and_leaves_them_the_next_time(self, settings) -> None:
        settings.KAFKA_TOPIC_NAMES = {"course.events": "smartcourse.course-events"}
        with Controller() as controller:
            settings.KAFKA_BOOTSTRAP_SERVERS = controller.servers
            run("kafka_topics")
            again = run("kafka_topics")
        days = {topic.name: int(topic.settings["retention.ms"]) / 86_400_000 for topic in controller.created}
        assert {topic.name: (topic.partitions, days[topic.name]) for topic in controller.created} == {
            "user.events": (3, 7),
            "smartcourse.course-events": (6, 7),
            "enrollment.events": (6, 7),
            "progress.events": (12, 3),
            "certificate.events": (3, 7),
            "notification.events": (3, 7),
            "analytics.events": (3, 30),
        }
        assert {topic.copies for topic in controller.created} == {-1}, "the cluster's own default"
        assert again.count("is there") == 7

    def test_says_that_kafka_refuses(self, settings) -> None:
        with Controller(forbidden=("user.events",)) as controller:
            settings.KAFKA_BOOTSTRAP_SERVERS = controller.servers
            with pytest.raises(CommandError, match="Kafka did not create the topics: not with us"):
                run("kafka_topics")


@pytest.mark.django_db
class TestSkip:
    def test_lets_those_behind_go_on(self, cluster, reader: Reader) -> None:
        course = many_courses(1)[0]
        [giant] = rename(course, title="x" * 2_000_000)
        rename(course, times=2)
        drain = Drain()
        for _ in range(3):
            drain.batch(limit=10)
        assert "2 facts wait behind it" in run("kafka_skip", str(giant.fact_id), "--dry-run")
        assert drain.batch(limit=10) == 0
        told = json.loads(run("kafka_skip", str(giant.fact_id), "--json"))
        assert told == {"skipped": True, "waiting_behind": 2}
        assert drain.batch(limit=10) == 2
        assert len(reader.count(2)) == 2
        giant.refresh_from_db()
        assert giant.status == DeliveryStatus.HANDLED
        assert "MSG_SIZE_TOO_LARGE" in giant.last_error
        drain.close()

    def test_skips_nothing_that_is_not_parked(self, cluster) -> None:
        [delivery] = rename(many_courses(1)[0])
        for fact_id in (delivery.fact_id, uuid7()):
            with pytest.raises(CommandError, match="has not parked"):
                run("kafka_skip", str(fact_id))
        assert Delivery.objects.get().status == DeliveryStatus.PENDING
