"""What a fact looks like outside, and where it goes; read by the official SDK of CloudEvents, not by us."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from smartcourse.events import facts
from smartcourse.events.facts import all_facts
from smartcourse.events.kafka.drain import Drain
from smartcourse.events.kafka.envelope import cloud_event
from smartcourse.events.kafka.tests.conftest import CourseRenamed, Reader, many_courses, rename
from smartcourse.events.kafka.topics import TOPICS, NoTopic, topic_of
from smartcourse.events.models import OutboxFact
from smartcourse.events.schemas import schema_of
from smartcourse.observability.context import request_context


@pytest.mark.django_db
class TestCloudEvent:
    def test_is_read_by_the_official_sdk(self, cluster, reader: Reader, settings) -> None:
        settings.PUBLIC_URL = "https://learn.example.org"
        course = many_courses(1)[0]
        with request_context("a-request-of-mine"):
            rename(course, title="Größe & Maß \U0001f980")
        drain = Drain()
        drain.batch(limit=1)
        drain.close()
        [message] = reader.count(1)
        event = from_kafka(
            KafkaMessage(headers=message.headers, key=message.key, value=message.value),
            JSONFormat(),
            CloudEvent,
        )
        row = OutboxFact.objects.get()
        assert event.get_specversion() == "1.0"
        assert event.get_id() == str(row.pk)
        assert event.get_source() == "https://learn.example.org"
        assert event.get_type() == "smartcourse.course.renamed.v1"
        assert event.get_subject() == message.key == str(course)
        assert event.get_time() == row.occurred_at
        assert event.get_datacontenttype() == "application/json"
        assert event.get_dataschema() == schema_of(CourseRenamed)["$id"]
        assert event.get_extension("partitionkey") == str(course)
        assert event.get_extension("sequence") == "0000000000000000001"
        assert event.get_extension("requestid") == "a-request-of-mine"
        assert event.get_data() == {"course_id": str(course), "title": "Größe & Maß \U0001f980"}

    def test_says_in_its_header_that_it_is_one(self, cluster, reader: Reader) -> None:
        rename(many_courses(1)[0])
        drain = Drain()
        drain.batch(limit=1)
        drain.close()
        [message] = reader.count(1)
        assert message.headers == {"content-type": b"application/cloudevents+json; charset=UTF-8"}

    def test_leaves_out_a_request_id_that_there_is_not(self, cluster) -> None:
        rename(many_courses(1)[0])
        event = cloud_event(OutboxFact.objects.get())
        assert "requestid" not in event
        assert datetime.fromisoformat(event["time"]).tzinfo == UTC
        assert event["time"].endswith("Z")

    def test_numbers_sort_as_text(self, cluster) -> None:
        rename(many_courses(1)[0], times=12)
        events = [cloud_event(row) for row in OutboxFact.objects.order_by("sequence")]
        assert [e["sequence"] for e in events] == sorted(e["sequence"] for e in events)


class TestTopicOf:
    def test_knows_every_declared_fact(self) -> None:
        for fact_type in all_facts():
            assert topic_of(fact_type) in TOPICS, f"{fact_type} goes nowhere"

    @pytest.mark.parametrize(
        ("fact_type", "topic"),
        [
            ("user.registered", "user.events"),
            ("course.published", "course.events"),
            ("enrollment.activated", "enrollment.events"),
            ("payment.received", "enrollment.events"),
            ("progress.updated", "progress.events"),
            ("grade.given", "progress.events"),
            ("certificate.issued", "certificate.events"),
            ("notification.sent", "notification.events"),
            ("webhook.disabled", "notification.events"),
            ("report.made", "analytics.events"),
            ("workflow.failed", "analytics.events"),
        ],
    )
    def test_goes_by_the_family(self, fact_type: str, topic: str) -> None:
        assert topic_of(fact_type).name == topic

    def test_refuses_a_family_that_it_does_not_know(self) -> None:
        with pytest.raises(NoTopic):
            topic_of("lamp.lit")


class TestNames:
    def test_has_a_prefix_and_a_map(self, settings) -> None:
        settings.KAFKA_TOPIC_PREFIX = "lms."
        settings.KAFKA_TOPIC_NAMES = {"course.events": "smartcourse.course-events"}
        assert topic_of("course.created").cluster_name == "smartcourse.course-events"
        assert topic_of("user.registered").cluster_name == "lms.user.events"


def test_every_family_of_facts_is_in_one_topic_only() -> None:
    families = [family for topic in TOPICS for family in topic.families]
    assert len(families) == len(set(families))
    assert "course.renamed" not in facts.all_facts(), (
        "the tests' own fact stays out of the product's registry"
    )
