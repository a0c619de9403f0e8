"""Which topic a fact goes to, and what the topics are like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings


@dataclass(frozen=True)
class Topic:
    """A topic by its name in the product; a cluster may know it by another."""

    name: str
    partitions: int
    retention: timedelta
    families: tuple[str, ...]
    """The first words of the types of the facts that go there."""

    @property
    def cluster_name(self) -> str:
        """Return its name in the cluster: the mapped one, or its own after the prefix."""
        mapped: str | None = settings.KAFKA_TOPIC_NAMES.get(self.name)
        return mapped or f"{settings.KAFKA_TOPIC_PREFIX}{self.name}"


TOPICS = (
    Topic("user.events", 3, timedelta(days=7), ("user",)),
    Topic("course.events", 6, timedelta(days=7), ("course",)),
    Topic("enrollment.events", 6, timedelta(days=7), ("enrollment", "payment")),
    Topic("progress.events", 12, timedelta(days=3), ("progress", "grade")),
    Topic("certificate.events", 3, timedelta(days=7), ("certificate",)),
    Topic("notification.events", 3, timedelta(days=7), ("notification", "webhook")),
    # What the platform says of itself goes where its figures go.
    Topic("analytics.events", 3, timedelta(days=30), ("report", "workflow", "delivery")),
)
_by_family = {family: topic for topic in TOPICS for family in topic.families}


class NoTopic(LookupError):
    """A fact of this type has no topic: its release was rolled back, or its family is new and not yet in TOPICS."""


def topic_of(fact_type: str) -> Topic:
    """Return the topic of facts of that type.

    Raises:
        NoTopic: its family is in none of TOPICS.
    """
    try:
        return _by_family[fact_type.partition(".")[0]]
    except KeyError:
        raise NoTopic(f"facts of type {fact_type!r} have no topic") from None


def unknown_names() -> list[str]:
    """Return what KAFKA_TOPIC_NAMES maps and is no topic: a slip of the pen would go unseen until somebody waits."""
    return sorted(set(settings.KAFKA_TOPIC_NAMES) - {topic.name for topic in TOPICS})
