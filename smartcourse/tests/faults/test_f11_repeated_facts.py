"""F11: facts delivered three times and in no order change no counter, no mail, no certificate and no metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smartcourse.tests.faults.checks import check_once, drained
from smartcourse.tests.faults.conftest import Scale
from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.stories import STORIES

# What facts were made into: numbers, mails, certificates, notices.
PROJECTIONS = {
    "courses": "SELECT id, learner_count FROM courses_course ORDER BY id",
    "seats": "SELECT course_id, taken FROM courses_courseseats ORDER BY course_id",
    "students": "SELECT user_id, total_students FROM accounts_instructorprofile ORDER BY user_id",
    "metrics": "SELECT name, day, value FROM analytics_dailymetric ORDER BY name, day",
    "messages": "SELECT fact_id, recipient_id, channel, type, status FROM notifications_message ORDER BY id",
    "certificates": "SELECT id, enrollment_id, status FROM certificates_certificate ORDER BY id",
    "enrollments": "SELECT id, status, percentage FROM enrollments_enrollment ORDER BY id",
    "runs": "SELECT process, subject_id, status FROM workflows_run ORDER BY id",
    # That something was sent or parked is told of things that are counted above.
    "facts": "SELECT id, type, sequence FROM events_outboxfact ORDER BY id",
}
# All that the product's own subscribers have heard is owed to them once more; the faults' have no guard of their own.
OWED_AGAIN = """
    UPDATE events_delivery SET status = 'PENDING', attempts = 0, next_attempt_at = now()
    WHERE status = 'HANDLED' AND subscriber NOT LIKE '%%.tests.faults.%%' AND position > %s
"""
LAST = "SELECT coalesce(max(position), 0) FROM events_outboxfact"


def projections(platform: Platform) -> dict[str, Any]:
    return {name: platform.rows(query) for name, query in PROJECTIONS.items()} | {
        "mails": dict(platform.mailbox.counts)
    }


class TestRepeatedFacts:
    def test_change_nothing(self, platform: Platform, scale: Scale, figures: Callable[[str], None]) -> None:
        platform.start("web1", "worker1", "relay1", "beat1")
        # What other faults left failed may rightly go on when it is told again; this is about what went well.
        since = platform.one(LAST)
        courses, students = self._people_and_courses(platform, scale)
        certification = STORIES["certification"]
        certified = [
            certification.begin(platform, certification.prepare(platform)) for _ in range(scale(1, 5))
        ]
        published = platform.do(
            "activate_enrollments", courses=courses, students=students, modules=2, seed=11
        )
        drained(platform, within=scale(60, 300))
        before = projections(platform)
        learners = [row["learner_count"] for row in before["courses"] if str(row["id"]) in courses]
        assert learners == [len(students)] * len(courses)
        for enrollment in certified:
            certification.check_done(platform, enrollment)

        messages = platform.do("send_deliveries_again", times=2, seed=12)
        platform.execute(OWED_AGAIN, since)
        drained(platform, within=scale(60, 300))
        calls = platform.do("call_subscribers_again", times=1, seed=13, since=since)
        drained(platform, within=60)

        after = projections(platform)
        for name, rows in before.items():
            assert after[name] == rows, f"{name} changed"
        check_once(platform)
        figures(
            f"F11 {platform.kind}: {published} facts over {len(courses)} courses in no order, {messages} messages "
            f"repeated, all handled again, {calls} subscribers called a third time: nothing changed"
        )

    def _people_and_courses(self, platform: Platform, scale: Scale) -> tuple[list[str], list[str]]:
        [teacher] = platform.do("make_people", count=1, role="instructor")
        courses = platform.do("make_courses", teacher=teacher["id"], count=scale(5, 20), published=True)
        students = platform.do("make_people", count=scale(4, 17))
        return [course["id"] for course in courses], [student["id"] for student in students]
