"""Taking what the sink is owed to Kafka: at least once, in order per aggregate."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from smartcourse.events.deliveries import park
from smartcourse.events.kafka.client import new_producer
from smartcourse.events.kafka.envelope import CONTENT_TYPE, encode
from smartcourse.events.kafka.topics import NoTopic, topic_of
from smartcourse.events.models import Delivery, DeliveryStatus

if TYPE_CHECKING:
    # Not at run time: the package is an optional extra.
    from confluent_kafka import KafkaError

SINK = "kafka"
"""The subscriber that the deliveries of the sink belong to."""
LOOK_SECONDS = 1.0
"""While Kafka does not answer, the sink looks so often whether it is to stop, and shows the database that it lives."""
# What tells of the cluster, not of the fact: it is sent again, and no attempt is counted.
OF_THE_CLUSTER = frozenset(
    {"_MSG_TIMED_OUT", "_PURGE_QUEUE", "_PURGE_INFLIGHT", "_FATAL", "_TRANSPORT", "_TIMED_OUT"}
)

log = structlog.get_logger(__name__)


def owed() -> QuerySet[Delivery]:
    """Return what the sink is owed, in order, without what waits behind a parked fact of its own aggregate."""
    parked = Delivery.objects.parked().filter(
        subscriber=SINK,
        position__lt=OuterRef("position"),
        fact__aggregate_id=OuterRef("fact__aggregate_id"),
    )
    mine = Delivery.objects.pending().filter(subscriber=SINK).exclude(Exists(parked))
    return mine.select_related("fact").order_by("position")


class NotParked(LookupError):
    """The sink has given up no fact of that id, so there is nothing to skip."""


def skip(*, fact_id: UUID, dry_run: bool = False) -> int:
    """Take a parked fact for settled without Kafka, and return how many facts of its aggregate wait behind it.

    Raises:
        NotParked: it is not parked here.
    """
    with transaction.atomic():
        parked = Delivery.objects.parked().filter(subscriber=SINK, fact=fact_id)
        delivery = parked.select_for_update(of=("self",)).select_related("fact").first()
        if delivery is None:
            raise NotParked(f"the sink has not parked a fact {fact_id}")
        behind = Delivery.objects.pending().filter(
            subscriber=SINK, position__gt=delivery.position, fact__aggregate_id=delivery.fact.aggregate_id
        )
        if not dry_run:
            # The cause stays: whoever misses the fact in Kafka finds out why here.
            parked.update(status=DeliveryStatus.HANDLED, handled_at=timezone.now(), parked_at=None)
        return behind.count()


class Drain:
    """One producer's work. At most one fact of an aggregate is under way at a time.

    So whatever becomes of a fact (confirmed, refused, unanswered), none of its followers has overtaken it, without a
    word about what the client does with the rest of a pipeline; other aggregates' facts share its round trip.

    `tick` is called about once a second while Kafka keeps the drain waiting, `give_up` is asked as often.
    """

    def __init__(
        self, *, tick: Callable[[], None] = lambda: None, give_up: Callable[[], bool] = lambda: False
    ) -> None:
        self._tick = tick
        self._give_up = give_up
        self._producer = new_producer(on_error=self._hear)
        self._is_broken = False
        self._away = False
        self._ticked_at = time.monotonic()
        # Aggregates whose next fact was refused, and the moment (monotonic) until which they are left alone.
        self._held: dict[UUID, float] = {}
        self._confirmed: set[UUID] = set()
        self._refused: dict[UUID, str] = {}
        self._unanswered: dict[UUID, str] = {}

    def batch(self, *, limit: int) -> int:
        """Send up to `limit` of the facts that are owed, mark those that Kafka has confirmed, and return how many."""
        self._confirmed, self._refused, self._unanswered = set(), {}, {}
        self._mend_producer()
        lines = self._line_up(limit)
        while lines and not self._give_up():
            wave = [line.popleft() for line in lines.values()]
            self._send(wave)
            passed = {d.fact.aggregate_id for d in wave if d.pk in self._confirmed}
            lines = {key: line for key, line in lines.items() if line and key in passed}
        self._mark()
        self._say_how_it_went()
        return len(self._confirmed)

    def close(self) -> None:
        """Let go of what is under way: it stays owed."""
        self._producer.purge()
        self._producer.flush(LOOK_SECONDS)

    def _mend_producer(self) -> None:
        # Errors and logs of the idle time are heard only when it is polled.
        self._producer.poll(0)
        if self._is_broken:
            # A producer with a fatal error sends nothing any more. What it had not confirmed is still owed.
            self._producer = new_producer(on_error=self._hear)
            self._is_broken = False

    def _line_up(self, limit: int) -> dict[UUID, deque[Delivery]]:
        """Return the next facts, those of each aggregate in a line of their own."""
        now = time.monotonic()
        self._held = {key: until for key, until in self._held.items() if until > now}
        lines: dict[UUID, deque[Delivery]] = defaultdict(deque)
        for delivery in owed().exclude(fact__aggregate_id__in=self._held)[:limit]:
            lines[delivery.fact.aggregate_id].append(delivery)
        return lines

    def _send(self, wave: Iterable[Delivery]) -> None:
        """Send these facts, and return when it is known of each what became of it."""
        for delivery in sorted(wave, key=lambda each: each.attempts):
            # What was refused before goes alone: the client sends messages in sets, and a set is refused as a whole.
            if delivery.attempts:
                self._await_answers()
            self._produce(delivery)
        self._await_answers()

    def _produce(self, delivery: Delivery) -> None:
        from confluent_kafka import KafkaException

        fact = delivery.fact
        try:
            message: dict[str, Any] = {
                "topic": topic_of(fact.type).cluster_name,
                "key": str(fact.aggregate_id).encode(),
                "value": encode(fact),
                "headers": [("content-type", CONTENT_TYPE.encode())],
                "on_delivery": partial(self._note, delivery.pk),
            }
            try:
                self._producer.produce(**message)
            except BufferError:
                # The client's buffer is full of large facts.
                self._await_answers()
                self._producer.produce(**message)
        except NoTopic as error:
            self._refused[delivery.pk] = str(error)
        except KafkaException as error:
            self._note(delivery.pk, error.args[0], None)

    def _note(self, delivery_id: UUID, error: KafkaError | None, message: object) -> None:
        """Write down what became of one fact; the client calls this while it is flushed."""
        if error is None:
            self._confirmed.add(delivery_id)
        elif error.name() in OF_THE_CLUSTER or error.retriable() or error.fatal():
            self._unanswered[delivery_id] = error.str()
            self._is_broken = self._is_broken or error.fatal() or error.name() == "_FATAL"
        else:
            self._refused[delivery_id] = f"{error.name()}: {error.str()}"

    def _await_answers(self) -> None:
        while self._producer.flush(LOOK_SECONDS):
            self._tick_in_time()
            if self._give_up():
                self._producer.purge()
        self._tick_in_time()

    def _tick_in_time(self) -> None:
        if time.monotonic() - self._ticked_at >= LOOK_SECONDS:
            self._tick()
            self._ticked_at = time.monotonic()

    def _mark(self) -> None:
        """Write down what became of the batch: the confirmed facts in one statement, a refused one by itself."""
        now = timezone.now()
        Delivery.objects.filter(pk__in=self._confirmed).update(
            status=DeliveryStatus.HANDLED, handled_at=now, attempts=F("attempts") + 1
        )
        for delivery_id, cause in self._refused.items():
            self._record_refusal(delivery_id, cause)

    def _record_refusal(self, delivery_id: UUID, cause: str) -> None:
        retries = settings.KAFKA_SINK_RETRY_SECONDS
        with transaction.atomic():
            delivery = (
                Delivery.objects.select_for_update(of=("self",)).select_related("fact").get(pk=delivery_id)
            )
            delivery.attempts += 1
            delivery.last_error = cause
            if delivery.attempts > len(retries):
                park(delivery)
            else:
                self._held[delivery.fact.aggregate_id] = time.monotonic() + retries[delivery.attempts - 1]
            delivery.save()
        log.error(
            "Kafka refuses a fact",
            fact=str(delivery.fact_id),
            fact_type=delivery.fact.type,
            attempts=delivery.attempts,
            parked=delivery.status == DeliveryStatus.PARKED,
            cause=cause,
        )

    def _hear(self, error: KafkaError) -> None:
        if error.name() in ("_ALL_BROKERS_DOWN", "_AUTHENTICATION", "_RESOLVE", "_SSL"):
            self._say_away(error.str())

    def _say_how_it_went(self) -> None:
        if self._unanswered:
            self._say_away(next(iter(self._unanswered.values())))
        elif self._confirmed and self._away:
            self._away = False
            log.info("Kafka takes facts again")

    def _say_away(self, cause: str) -> None:
        if not self._away:
            self._away = True
            log.warning("Kafka does not take facts; they wait", cause=cause)
