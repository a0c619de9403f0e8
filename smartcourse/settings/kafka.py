"""Settings of the Kafka sink and of the example consumer; without servers there is no sink."""

from __future__ import annotations

import os

from smartcourse.settings.environment import at_least, env


def _seconds(name: str, default: str) -> tuple[float, ...]:
    return tuple(float(word) for word in env.str(name, default=default).split(","))


KAFKA_BOOTSTRAP_SERVERS = env.str("KAFKA_BOOTSTRAP_SERVERS", default="")
"""`host:port,host:port`: where they are named, every fact goes to Kafka too."""
KAFKA_TOPIC_PREFIX = env.str("KAFKA_TOPIC_PREFIX", default="")
"""Stands before the name of every topic that KAFKA_TOPIC_NAMES does not name."""
KAFKA_TOPIC_NAMES: dict[str, str] = env.dict("KAFKA_TOPIC_NAMES", default={})
"""Whole names for single topics, for older consumers: `course.events=smartcourse.course-events,user.events=...`"""
KAFKA_REPLICATION_FACTOR = at_least(-1, "KAFKA_REPLICATION_FACTOR", default=-1)
"""Copies of what `kafka_topics` creates; -1 leaves it to the cluster (default.replication.factor)."""

KAFKA_SECURITY = {
    name.removeprefix("KAFKA_").lower().replace("_", "."): value
    for name, value in os.environ.items()
    if name.startswith(("KAFKA_SASL_", "KAFKA_SSL_")) or name == "KAFKA_SECURITY_PROTOCOL"
}
"""librdkafka's own settings by its own names (KAFKA_SASL_PASSWORD is `sasl.password`); never logged."""

KAFKA_SINK_BATCH = at_least(1, "KAFKA_SINK_BATCH", default=500)
"""The sink takes so many facts at a time, and marks them together."""
KAFKA_SINK_INTERVAL_SECONDS = env.float("KAFKA_SINK_INTERVAL_SECONDS", default=1.0)
"""It looks this often, woken or not; where the active one ended, another takes over within as long."""
KAFKA_SINK_TAKEOVER_SECONDS = env.float("KAFKA_SINK_TAKEOVER_SECONDS", default=10.0)
"""A sink that the database has not heard of for this long has lost its place to another (stopped, or cut off)."""
KAFKA_SEND_SECONDS = env.float("KAFKA_SEND_SECONDS", default=30.0)
"""What Kafka has not confirmed within this is sent again later; other facts go on meanwhile."""
KAFKA_STOP_SECONDS = env.float("KAFKA_STOP_SECONDS", default=10.0)
"""A sink that is told to stop waits for so long for what Kafka has not confirmed yet."""
KAFKA_SINK_RETRY_SECONDS = _seconds("KAFKA_SINK_RETRY_SECONDS", "1,5,30")
"""A fact that Kafka refuses (too large, not allowed) is sent again after these, then parked. No outage counts."""

KAFKA_GROUP_PROTOCOL = env.str("KAFKA_GROUP_PROTOCOL", default="classic")
"""How consumers share partitions: `classic`, or `consumer` (KIP-848) where the brokers are of Kafka 4."""
KAFKA_CONSUMER_RETRY_SECONDS = _seconds("KAFKA_CONSUMER_RETRY_SECONDS", "1,3,8,22,60")
"""The example consumer tries a fact again after these, then it goes to the dead letters."""
