"""Producers, consumers and administrators of the configured cluster; the one place that needs the optional package."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings

from smartcourse.events.kafka.topics import unknown_names

if TYPE_CHECKING:
    # Not at run time: the package is an optional extra.
    from confluent_kafka import Consumer, KafkaError, Producer
    from confluent_kafka.admin import AdminClient

# librdkafka speaks by syslog's levels; of what happens while a broker is away it says more than anybody reads. What
# that does to facts, the sink says itself.
CRITICAL = 2

logger = logging.getLogger("smartcourse.kafka")

Client = TypeVar("Client")


class KafkaNotConfigured(RuntimeError):
    """No servers, no optional package, a topic mapped that does not exist, or settings that the client refuses."""


def check_configuration() -> None:
    """Make sure that a client can be made.

    Raises:
        KafkaNotConfigured: why not, and what to do.
    """
    if not settings.KAFKA_BOOTSTRAP_SERVERS:
        raise KafkaNotConfigured("KAFKA_BOOTSTRAP_SERVERS is not set (host:port,host:port).")
    if unknown := unknown_names():
        raise KafkaNotConfigured(f"KAFKA_TOPIC_NAMES maps what is no topic: {', '.join(unknown)}.")
    try:
        import confluent_kafka  # noqa: F401 - the question is whether it is there
    except ImportError as error:
        raise KafkaNotConfigured(
            "The optional package is missing; install it with: pip install 'smartcourse[kafka]'"
        ) from error


def new_producer(*, on_error: Callable[[KafkaError], None] = lambda error: None) -> Producer:
    """Return a producer that makes no duplicates of its own: idempotent, confirmed by all replicas in sync.

    `on_error` hears, while it is polled or flushed, what is wrong with the brokers.

    Raises:
        KafkaNotConfigured: see check_configuration.
    """
    check_configuration()
    from confluent_kafka import Producer

    return _make(
        Producer,
        _connection()
        | {
            "enable.idempotence": True,
            "acks": "all",
            "message.timeout.ms": int(settings.KAFKA_SEND_SECONDS * 1000),
            # A topic that is not there is known not to be there before the message's own time is up.
            "topic.metadata.propagation.max.ms": int(settings.KAFKA_SEND_SECONDS * 1000 / 3),
            "compression.type": "lz4",
            # As the Java client does it: a key is in the same partition here and in what others write.
            "partitioner": "murmur2_random",
            "error_cb": on_error,
        },
    )


def new_consumer(group: str, *, max_silence: float = 300) -> Consumer:
    """Return a consumer of that group which commits only what it is told to, and begins with the oldest.

    One that does not poll for `max_silence` seconds loses its partitions to others.

    Raises:
        KafkaNotConfigured: see check_configuration.
    """
    check_configuration()
    from confluent_kafka import Consumer

    return _make(
        Consumer,
        _connection()
        | {
            "group.id": group,
            "group.protocol": settings.KAFKA_GROUP_PROTOCOL,
            "max.poll.interval.ms": int(max_silence * 1000),
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        },
    )


def new_administrator() -> AdminClient:
    """Return a client that creates topics.

    Raises:
        KafkaNotConfigured: see check_configuration.
    """
    check_configuration()
    from confluent_kafka.admin import AdminClient

    return _make(AdminClient, _connection())


def _make(kind: Callable[..., Client], configuration: dict[str, Any]) -> Client:
    from confluent_kafka import KafkaException

    try:
        return kind(configuration, logger=logger)
    except KafkaException as error:
        # It says which setting it is, and no secret.
        raise KafkaNotConfigured(f"Kafka's client refuses its settings: {error.args[0].str()}") from None


def _connection() -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
        "client.id": "smartcourse",
        # Back soon after an outage: by default a client takes up to ten seconds to look again.
        "reconnect.backoff.max.ms": 1000,
        "log_level": CRITICAL,
        **settings.KAFKA_SECURITY,
    }
