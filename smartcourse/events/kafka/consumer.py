"""An example to copy: a consumer in a group, with retries and a topic for dead letters.

It needs of this repository no more than the two factories of `client.py`. What it gives is at least once, in order per
aggregate: a handler that must not do a thing twice keeps the ids of facts where it keeps its effects, in one
transaction with them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import structlog
from django.conf import settings

from smartcourse.events.kafka.client import new_consumer, new_producer

if TYPE_CHECKING:
    # Not at run time: the package is an optional extra.
    from confluent_kafka import KafkaError, Message, Producer

DEAD_LETTERS = ".dlq"
"""Dead letters of a topic go to the topic of its name and this."""
LOOK_SECONDS = 0.2

log = structlog.get_logger(__name__)


class DeadLetterNotKept(RuntimeError):
    """Kafka did not take a dead letter; nothing is committed, so the fact is read again by whoever comes next."""


@dataclass(frozen=True)
class IncomingFact:
    """A fact as it came: the CloudEvent's attributes that a handler asks for, and its data."""

    id: str
    type: str
    subject: str
    sequence: int
    time: datetime
    data: dict[str, Any]

    @classmethod
    def read(cls, value: bytes | None) -> Self:
        """Return the fact in the value of a message.

        Raises:
            ValueError: it is no CloudEvent of ours.
        """
        try:
            event = json.loads(value or b"")
            return cls(
                id=event["id"],
                type=event["type"],
                subject=event["subject"],
                sequence=int(event["sequence"]),
                time=datetime.fromisoformat(event["time"]),
                data=event["data"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no fact: {error!r}") from error


class FactConsumer:
    """Hands each fact of some topics to `handler`, and commits it once it is handled or among the dead letters.

    Retries hold back the facts behind it in this process, which keeps them in order; its other partitions wait too.
    """

    def __init__(
        self,
        handler: Callable[[IncomingFact], None],
        *,
        group: str,
        topics: Iterable[str],
        retry_after: Sequence[float] | None = None,
    ) -> None:
        self._handler = handler
        self._group = group
        self._topics = list(topics)
        self._retry_after = settings.KAFKA_CONSUMER_RETRY_SECONDS if retry_after is None else retry_after
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Have `run` return after the attempt at hand; from any thread, or from a signal's handler."""
        self._stopped.set()

    def run(self) -> None:
        """Consume until stopped.

        Raises:
            KafkaNotConfigured: there is nothing to read from, or nothing to read with.
            DeadLetterNotKept: Kafka did not take a dead letter.
        """
        # Longer than all retries: a consumer that does not poll for so long is taken for dead.
        silence = 300 + sum(self._retry_after)
        consumer = new_consumer(self._group, max_silence=silence)
        consumer.subscribe(self._topics)
        try:
            while not self._stopped.is_set():
                message = consumer.poll(LOOK_SECONDS)
                if message is None:
                    continue
                if error := message.error():
                    self._bear(error)
                elif self._settle(message):
                    consumer.commit(message=message, asynchronous=False)
        finally:
            # Leaves the group, so that its partitions find another reader at once.
            consumer.close()

    def _bear(self, error: KafkaError) -> None:
        if error.fatal():
            from confluent_kafka import KafkaException

            raise KafkaException(error)
        log.warning("Kafka reports an error", error=error.str())

    def _settle(self, message: Message) -> bool:
        """Handle the message or put it among the dead letters; return false where it was stopped before either."""
        try:
            fact = IncomingFact.read(message.value())
        except ValueError as error:
            # What cannot be read will not be readable later.
            self._bury(message, error, attempts=1)
            return True
        attempts = 0
        while True:
            try:
                self._handler(fact)
            except Exception as error:
                attempts += 1
                log.warning("a handler failed", fact=fact.id, attempts=attempts, exc_info=error)
                if attempts > len(self._retry_after):
                    self._bury(message, error, attempts=attempts)
                    return True
                if self._stopped.wait(self._retry_after[attempts - 1]):
                    return False
            else:
                return True

    @cached_property
    def _undertaker(self) -> Producer:
        return new_producer()

    def _bury(self, message: Message, error: Exception, *, attempts: int) -> None:
        """Put the message among the dead letters, as it came, with what is known of its end in headers."""
        kept: list[KafkaError | None] = []
        self._undertaker.produce(
            f"{message.topic()}{DEAD_LETTERS}",
            key=message.key(),
            value=message.value(),
            headers=[*(message.headers() or []), *self._epitaph(message, error, attempts)],
            on_delivery=lambda error, _: kept.append(error),
        )
        self._undertaker.flush()
        if kept != [None]:
            raise DeadLetterNotKept(str(kept))
        log.error("a fact went to the dead letters", topic=message.topic(), offset=message.offset())

    def _epitaph(self, message: Message, error: Exception, attempts: int) -> list[tuple[str, bytes]]:
        known = {
            "dlq-cause": f"{type(error).__name__}: {error}"[:1000],
            "dlq-attempts": attempts,
            "dlq-group": self._group,
            "dlq-topic": message.topic(),
            "dlq-partition": message.partition(),
            "dlq-offset": message.offset(),
            "dlq-at": datetime.now(UTC).isoformat(),
        }
        return [(name, str(value).encode()) for name, value in known.items()]
