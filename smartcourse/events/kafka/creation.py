"""Creating the topics in the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from smartcourse.events.kafka.client import new_administrator
from smartcourse.events.kafka.consumer import DEAD_LETTERS
from smartcourse.events.kafka.topics import TOPICS, Topic

ANSWER_SECONDS = 30.0


class TopicsNotCreated(RuntimeError):
    """Kafka did not answer, or refused one of the topics."""


@dataclass(frozen=True)
class TopicReport:
    """A topic as it should be, and what the cluster has under its name."""

    name: str
    cluster_name: str
    partitions: int
    retention_days: int
    partitions_there: int | None
    """Before anything was created; none where there was no such topic."""

    @property
    def exists(self) -> bool:
        """Return whether it was there before."""
        return self.partitions_there is not None

    @property
    def agrees(self) -> bool:
        """Return whether it was there as it should be. Partitions are not added: keys would change theirs."""
        return self.partitions_there == self.partitions

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "topic": self.name,
            "cluster_name": self.cluster_name,
            "partitions": self.partitions,
            "retention_days": self.retention_days,
            "existed": self.exists,
            "partitions_there": self.partitions_there,
        }


def create_topics(*, dead_letters: bool = False, dry_run: bool = False) -> list[TopicReport]:
    """Create those of TOPICS (and of their dead letters') that are not there, and return how it is with each.

    Raises:
        KafkaNotConfigured: see client.check_configuration.
        TopicsNotCreated: Kafka did not answer within 30 seconds, or refused one.
    """
    administrator = new_administrator()
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # its documented place

    try:
        there = administrator.list_topics(timeout=ANSWER_SECONDS).topics
        reports = [_report(topic, suffix, there) for suffix in _suffixes(dead_letters) for topic in TOPICS]
        missing = [
            NewTopic(
                report.cluster_name,
                num_partitions=report.partitions,
                replication_factor=settings.KAFKA_REPLICATION_FACTOR,
                config={"retention.ms": str(report.retention_days * 86_400_000)},
            )
            for report in reports
            if not report.exists
        ]
        if missing and not dry_run:
            for created in administrator.create_topics(missing, request_timeout=ANSWER_SECONDS).values():
                created.result()
    except KafkaException as error:
        raise TopicsNotCreated(f"Kafka did not create the topics: {error.args[0].str()}") from error
    return reports


def _suffixes(dead_letters: bool) -> tuple[str, ...]:
    return ("", DEAD_LETTERS) if dead_letters else ("",)


def _report(topic: Topic, suffix: str, there: dict[str, Any]) -> TopicReport:
    cluster_name = topic.cluster_name + suffix
    found = there.get(cluster_name)
    return TopicReport(
        name=topic.name + suffix,
        cluster_name=cluster_name,
        partitions=topic.partitions,
        retention_days=topic.retention.days,
        partitions_there=len(found.partitions) if found else None,
    )
