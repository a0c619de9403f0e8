"""What must hold over the whole history of an installation, whatever happened to it."""

from __future__ import annotations

import os
import time
from typing import Any

from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.waiting import eventually

# What is still to be done, by where it lies. A run that waits for what has not come has nothing to do.
UNDONE = """
    SELECT
        (SELECT count(*) FROM events_outboxfact WHERE relayed_at IS NULL) AS facts,
        (SELECT count(*) FROM events_delivery WHERE status = 'PENDING') AS deliveries,
        (SELECT count(*) FROM workflows_run run WHERE finished_at IS NULL AND NOT (
            status = 'WAITING' AND NOT EXISTS (SELECT FROM workflows_signal WHERE run_id = run.id)
        )) AS runs,
        (SELECT count(*) FROM notifications_message WHERE status = 'PENDING') AS messages
"""
# Effects of the faults' subscribers, against the deliveries that say that they were handled.
EFFECTS = """
    SELECT coalesce(owed.subscriber, done.subscriber) AS subscriber,
        coalesce(owed.fact_id, done.fact_id) AS fact, coalesce(done.times, 0) AS times
    FROM (
        SELECT fact_id, regexp_replace(subscriber, '^.*\\.', '') AS subscriber FROM events_delivery
        WHERE subscriber LIKE 'smartcourse.tests.faults.%%' AND status = 'HANDLED'
    ) AS owed
    FULL JOIN (SELECT fact_id, subscriber, count(*) AS times FROM faults_effect GROUP BY 1, 2) AS done
        USING (fact_id, subscriber)
    WHERE coalesce(done.times, 0) <> 1
        -- An archived fact has been handled, and has no deliveries any more.
        OR owed.fact_id IS NULL AND NOT EXISTS (SELECT FROM events_archivedfact WHERE id = done.fact_id)
"""
SENT_TWICE = "SELECT fact_id, count(*) FROM faults_signal GROUP BY 1 HAVING count(*) > 1"
# Of these there is one in the life of what they happened to.
ONCE = (
    "enrollment.created", "enrollment.activated", "enrollment.completed", "enrollment.dropped",
    "certificate.issued", "workflow.failed", "user.registered", "course.archived",
)  # fmt: skip
TWICE = """
    SELECT type, aggregate_id, count(*) FROM events_outboxfact WHERE type = ANY(%s)
    GROUP BY 1, 2 HAVING count(*) > 1
"""
MISCOUNTED = """
    SELECT course.id, course.learner_count FROM courses_course course
    WHERE course.learner_count <> (
        SELECT count(*) FROM enrollments_enrollment e
        WHERE e.course_id = course.id AND e.status IN ('ACTIVE', 'COMPLETED')
    )
"""
UNSEATED = """
    SELECT seats.course_id, seats.taken FROM courses_courseseats seats
    WHERE seats.taken <> (
        SELECT count(*) FROM enrollments_enrollment e
        WHERE e.course_id = seats.course_id AND e.status IN ('PENDING', 'ACTIVE', 'COMPLETED', 'SUSPENDED')
    )
"""
WHOLE_WORKERS_KILLED = "SELECT count(*) FROM faults_trace WHERE mode = 'kill group'"
UNMAILED = "SELECT id::text FROM notifications_message WHERE channel = 'mail' AND status = 'SENT'"


def undone(platform: Platform) -> dict[str, int]:
    """Return how much is still to be done, by where it lies; empty when nothing is."""
    [row] = platform.rows(UNDONE)
    return {where: count for where, count in row.items() if count}


def drained(platform: Platform, *, within: float) -> float:
    """Wait until nothing is left to do, and return how many seconds that took."""
    begun = time.monotonic()
    left: list[dict[str, int]] = [{}]

    def look() -> bool:
        left[0] = undone(platform)
        return not left[0]

    try:
        eventually(look, within)
    except AssertionError as error:
        # Who reads it will want to know what else the machine had to do.
        busy = f"{os.getloadavg()[0]:.1f} processes for {os.cpu_count()} cores"
        raise AssertionError(
            f"after {within} seconds there is still to be done: {left[0]}; {busy}"
        ) from error
    return time.monotonic() - begun


def check_once(platform: Platform, *, in_hand: int = 0) -> None:
    """Check that every effect so far happened once: none twice, none not at all.

    in_hand: how many mails may have been on their way when the database died, besides those of killed workers.

    Raises:
        AssertionError: one did not.
    """
    assert platform.rows(EFFECTS) == [], "an effect of a subscriber, not exactly once"
    assert platform.rows(SENT_TWICE) == [], "a fact that was relayed twice"
    assert platform.rows(TWICE, list(ONCE)) == [], "a fact that can be true only once"
    assert platform.rows(MISCOUNTED) == [], "the headline of a course is not what its enrollments say"
    assert platform.rows(UNSEATED) == [], "the seats taken are not the enrollments that hold them"
    _check_mails(platform, in_hand)


def _check_mails(platform: Platform, in_hand: int) -> None:
    # A whole worker that is killed may have had a mail in hand, taken by the server and not yet by our database: that
    # one comes twice, under one Message-ID (F20), and so it is where the database dies. Of a child that is killed over
    # its own step, no mail does.
    twice, killed = platform.mailbox.twice(), platform.one(WHOLE_WORKERS_KILLED)
    assert len(twice) <= killed + in_hand, (
        f"{len(twice)} mails were sent twice, and {killed} whole workers killed"
    )
    assert max(platform.mailbox.counts.values(), default=0) <= 2, "a mail that was sent three times"
    sent = {row["id"] for row in platform.rows(UNMAILED)}
    received = {message_id.strip("<>").partition("@")[0] for _, message_id in platform.mailbox.counts}
    assert received == sent, "mails that came are not the messages that say they were sent"


def check_enrolled(platform: Platform, enrollments: list[str]) -> None:
    """Check that each acknowledged enrollment is open, and its learner was written to once.

    Raises:
        AssertionError: one is not.
    """
    states = platform.rows(
        "SELECT status, count(*) FROM enrollments_enrollment WHERE id = ANY(%s::uuid[]) GROUP BY 1",
        enrollments,
    )
    assert states == [{"status": "ACTIVE", "count": len(enrollments)}]
    told: Any = platform.rows(
        "SELECT fact.aggregate_id, count(*) FROM notifications_message message "
        "JOIN events_outboxfact fact ON fact.id = message.fact_id "
        "WHERE fact.aggregate_id = ANY(%s::uuid[]) AND message.type = 'course_welcome' AND message.channel = 'mail' "
        "GROUP BY 1",
        enrollments,
    )
    assert [row["count"] for row in told] == [1] * len(enrollments)
