"""The relay: takes committed facts out of the outbox, in order per aggregate, and owes each to its subscribers."""

from __future__ import annotations

import select
from collections.abc import Callable, Collection

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from smartcourse.events.deliveries import send_messages
from smartcourse.events.models import OutboxFact
from smartcourse.events.outbox import CHANNEL
from smartcourse.events.owing import owe
from smartcourse.events.signals import signal_of
from smartcourse.events.subscriptions import SINKS_CHANNEL, sinks, subscribers_of

# The advisory lock that makes one relay the active one; the others wait on it.
ACTIVE_RELAY = 0x5C_0001
BATCH = 500

log = structlog.get_logger(__name__)


def relay_batch(limit: int = BATCH) -> int:
    """Relay up to `limit` facts in one transaction and return how many; zero means the outbox is empty."""
    with transaction.atomic():
        rows = list(
            OutboxFact.objects.filter(relayed_at=None).order_by("position").select_for_update()[:limit]
        )
        if not rows:
            return 0
        wanted, to_sinks = Wanted(), sinks()
        debts = [(row, name) for row in rows for name in (*_tell(row, wanted), *to_sinks)]
        # A fact relayed twice (it cannot be, but an invariant is cheap) would not be delivered twice.
        deliveries = owe(debts, due_in=settings.DELIVERY_REDISPATCH_SECONDS)
        OutboxFact.objects.filter(pk__in=[row.pk for row in rows]).update(relayed_at=Now())
        send_messages(deliveries)
        if to_sinks:
            transaction.on_commit(_wake_sinks, robust=True)
    return len(rows)


def _wake_sinks() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {SINKS_CHANNEL}")


class Wanted:
    """What the subscribers to every fact want of it at present, asked once for each of them in a batch."""

    def __init__(self) -> None:
        self._types: dict[str, Collection[str]] = {}

    def by(self, name: str, ask: Callable[[], Collection[str]]) -> Collection[str]:
        """Return the types of fact that the subscriber of that name wants."""
        if name not in self._types:
            self._types[name] = ask()
        return self._types[name]


def _tell(row: OutboxFact, wanted: Wanted) -> list[str]:
    """Send the fact's Django signal, and return the names of the subscribers that it is owed to."""
    _send_signal(row)
    return [
        each.name
        for each in subscribers_of(row.type)
        if each.wanted is None or row.type in wanted.by(each.name, each.wanted)
    ]


def _send_signal(row: OutboxFact) -> None:
    """Tell who listens in this process; whatever is wrong with one fact must not keep the others."""
    try:
        fact = row.read()
    except Exception:
        # Of a release that was rolled back, or written by hand: its subscribers, if any, will park it with the cause.
        log.exception("a fact cannot be read", fact_type=row.type, fact=str(row.pk))
        return
    for receiver, outcome in signal_of(type(fact)).send_robust(sender=type(fact), fact=fact):
        if isinstance(outcome, Exception):
            log.error(
                "a signal receiver failed", receiver=repr(receiver), fact_type=row.type, exc_info=outcome
            )


class Relay:
    """The loop of the relay process: woken by NOTIFY, and once a second."""

    def __init__(self, *, stopping: Callable[[], bool]) -> None:
        self.stopping = stopping

    def run(self) -> None:
        """Wait to be the active relay, then relay until told to stop.

        Raises:
            OperationalError: the database went away, or took this relay for dead.
        """
        self._let_the_database_end_us()
        while not self._is_active():
            if self.stopping():
                return
            self._wait_for_news()
        log.info("this relay is the active one")
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        while not self.stopping():
            while relay_batch() and not self.stopping():
                pass
            self._wait_for_news()

    def _let_the_database_end_us(self) -> None:
        """Have the server end this session, and with it lock and transaction, when nothing is heard of us.

        An advisory lock is as alive as its session: that of a process which is stopped or cut off would stay for ever.
        So it is the database's clock that says who is gone, and what the gone one had in hand is rolled back.
        """
        milliseconds = int(settings.RELAY_TAKEOVER_SECONDS * 1000)
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_session_timeout = {milliseconds}")
            cursor.execute(f"SET idle_in_transaction_session_timeout = {milliseconds}")

    def _is_active(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [ACTIVE_RELAY])
            row = cursor.fetchone()
        return bool(row and row[0])

    def _wait_for_news(self) -> None:
        raw = connection.connection
        if select.select([raw.fileno()], [], [], settings.RELAY_INTERVAL_SECONDS)[0]:
            # The driver is asked directly, and its errors are none of Django's.
            with connection.wrap_database_errors:
                for _ in raw.notifies(timeout=0):
                    pass
