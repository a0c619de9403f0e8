"""Subscribers without any guard of their own: that each effect happens once is the platform's doing alone."""

from __future__ import annotations

import os
from typing import Any

from django.db import connection
from django.dispatch import receiver

from smartcourse.events.signals import signal_of
from smartcourse.events.subscriptions import subscribe
from smartcourse.tests.faults.app.breakpoints import reach
from smartcourse.tests.faults.app.facts import Happened, Heaped, Poisoned

EFFECT = "INSERT INTO faults_effect (subscriber, fact_id, thing_id, number, pid) VALUES (%s, %s, %s, %s, %s)"
SIGNAL = "INSERT INTO faults_signal (fact_id, thing_id, number, pid) VALUES (%s, %s, %s, %s)"


@subscribe(Happened)
def note(fact: Happened) -> None:
    _effect("note", fact)


@subscribe(Happened, queue="progress")
def note_beside(fact: Happened) -> None:
    _effect("note_beside", fact)


@subscribe(Heaped)
def note_one_of_many(fact: Heaped) -> None:
    _effect("note_one_of_many", fact)


@subscribe(Poisoned)
def choke(fact: Poisoned) -> None:
    reach("choke.before", fact.thing_id)
    _effect("choke", fact)
    reach("choke.mid", fact.thing_id)


@subscribe(Poisoned)
def note_poisoned(fact: Poisoned) -> None:
    _effect("note_poisoned", fact)


@receiver(signal_of(Happened))
def hear(fact: Happened, **_more: Any) -> None:
    """Write down what the relay sends, in the relay's own transaction; a thing of number 0 may stop the relay."""
    with connection.cursor() as cursor:
        cursor.execute(SIGNAL, [fact.fact_id, fact.thing_id, fact.number, os.getpid()])
    if fact.number == 0:
        reach("relay.mid", fact.thing_id)


def _effect(subscriber: str, fact: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(EFFECT, [subscriber, fact.fact_id, fact.thing_id, fact.number, os.getpid()])
