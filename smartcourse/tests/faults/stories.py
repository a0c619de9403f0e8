"""How each of the processes is set going by people, and what is to be seen when it ended, or was undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx

from smartcourse.tests.faults.load import base_url
from smartcourse.tests.faults.platform import Platform
from smartcourse.tests.faults.waiting import eventually

RUN = "SELECT id, status, error FROM workflows_run WHERE process = %s AND subject_id = %s"


@dataclass(frozen=True)
class Story:
    """`prepare` makes what it needs, `begin` sets it going and returns its subject.

    `done` and `undone` check what there is of it at its end. `facts` tell that it ended well: one of each, no more.
    `waits` says that the process waits for something on this way through it, which `begin` brings.
    """

    process: str
    prepare: Callable[[Platform], Any]
    begin: Callable[[Platform, Any], str]
    done: Callable[[Platform, str], None]
    undone: Callable[[Platform, str], None]
    facts: tuple[str, ...]
    waits: bool = False

    def __str__(self) -> str:
        return f"{self.process}, waited for" if self.waits else self.process

    def run_of(self, platform: Platform, subject: str) -> dict[str, Any] | None:
        """Return the last run about that subject."""
        runs = platform.rows(f"{RUN} ORDER BY id DESC LIMIT 1", self.process, subject)
        return runs[0] if runs else None

    def ended(self, platform: Platform, subject: str) -> str | None:
        """Return how the run ended; None while it goes on."""
        run = self.run_of(platform, subject)
        return run["status"] if run and run["status"] in ("COMPLETED", "FAILED") else None

    def check_done(self, platform: Platform, subject: str) -> None:
        """Check that it is done, and each of its facts is there once."""
        self.done(platform, subject)
        assert facts_about(platform, subject, self.facts) == dict.fromkeys(self.facts, 1)

    def check_undone(self, platform: Platform, subject: str) -> None:
        """Check that nothing of it is left, and it is told once that it failed."""
        self.undone(platform, subject)
        assert facts_about(platform, subject, self.facts) == {}
        run = self.run_of(platform, subject)
        assert run
        assert run["status"] == "FAILED"
        assert facts_about(platform, run["id"], ("workflow.failed",)) == {"workflow.failed": 1}


def facts_about(platform: Platform, aggregate: str, types: tuple[str, ...]) -> dict[str, int]:
    rows = platform.rows(
        "SELECT type, count(*) FROM events_outboxfact "
        "WHERE type = ANY(%s) AND (aggregate_id = %s OR payload ->> 'enrollment_id' = %s) GROUP BY 1",
        list(types), aggregate, str(aggregate),
    )  # fmt: skip
    return {row["type"]: row["count"] for row in rows}


def _ask(platform: Platform, token: str, method: str, path: str, **more: Any) -> Any:
    address = f"{base_url(platform)}/api/v1/{path}"
    answer = httpx.request(method, address, headers={"Authorization": f"Bearer {token}"}, timeout=20, **more)
    assert answer.is_success, f"{answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


@dataclass(frozen=True)
class Scene:
    """A course with its teacher's token, and somebody who learns or would like to."""

    course: str
    lessons: list[str]
    teacher: str
    student: str
    student_id: str
    enrollment: str = ""


def _draft(platform: Platform) -> Scene:
    return _scene(platform, published=False)


def _published_course(platform: Platform) -> Scene:
    return _scene(platform, published=True)


def _scene(platform: Platform, *, published: bool) -> Scene:
    [teacher] = platform.do("make_people", count=1, role="instructor")
    [course] = platform.do("make_courses", teacher=teacher["id"], count=1, published=published)
    [student] = platform.do("make_people", count=1)
    return Scene(course["id"], course["lessons"], teacher["token"], student["token"], student["id"])


def _enroll(platform: Platform, scene: Scene) -> str:
    made = _ask(platform, scene.student, "POST", "enrollments", json={"course_id": scene.course})
    return str(made["id"])


def _learner(platform: Platform) -> Scene:
    """Somebody who is in the course, and has its last lesson left."""
    scene = _published_course(platform)
    enrollment = _enroll(platform, scene)
    eventually(lambda: platform.one(ENROLLMENT, enrollment) == "ACTIVE", 30, "the classroom did not open")
    for lesson in scene.lessons[:-1]:
        _ask(platform, scene.student, "POST", f"lessons/{lesson}/complete")
    return replace(scene, enrollment=enrollment)


# Publishing


def _publish(platform: Platform, scene: Scene) -> str:
    _ask(platform, scene.teacher, "POST", f"courses/{scene.course}/publish")
    return scene.course


COURSE = """
    SELECT status, current_publication_id, search_vector IS NOT NULL AS indexed,
        (SELECT count(*) FROM courses_publication WHERE course_id = course.id) AS publications,
        (SELECT count(*) FROM courses_contentchunk chunk
         JOIN courses_publication p ON p.id = chunk.publication_id WHERE p.course_id = course.id) AS chunks
    FROM courses_course course WHERE id = %s
"""


def _published(platform: Platform, course: str) -> None:
    [row] = platform.rows(COURSE, course)
    assert (row["status"], row["publications"], row["indexed"]) == ("PUBLISHED", 1, True)
    assert row["current_publication_id"]
    assert row["chunks"] > 0


def _not_published(platform: Platform, course: str) -> None:
    [row] = platform.rows(COURSE, course)
    assert (row["status"], row["publications"], row["chunks"], row["indexed"]) == ("DRAFT", 0, 0, False)
    failed = "course.publishing_failed"
    assert facts_about(platform, course, (failed,)) == {failed: 1}, "the instructor is told why"


# Enrollment


ENROLLMENT = "SELECT status FROM enrollments_enrollment WHERE id = %s"


def _enrolled(platform: Platform, enrollment: str) -> None:
    assert platform.one(ENROLLMENT, enrollment) == "ACTIVE"
    assert platform.one(
        "SELECT count(*) FROM progress_courseprogress WHERE enrollment_id = %s", enrollment
    ), "there is something to learn in"


def _not_enrolled(platform: Platform, enrollment: str) -> None:
    assert platform.one(ENROLLMENT, enrollment) == "DROPPED"
    assert facts_about(platform, enrollment, ("enrollment.dropped",)) == {"enrollment.dropped": 1}


def _ordered(platform: Platform) -> Scene:
    """Somebody whose seat is kept until it is paid."""
    scene = _published_course(platform)
    enrollment = platform.do("order_seat", course=scene.course, student=scene.student_id)
    eventually(lambda: platform.rows(WAITING, enrollment), 30, "it does not wait for its money")
    return replace(scene, enrollment=enrollment)


WAITING = (
    "SELECT id FROM workflows_run WHERE process = 'enrollment' AND subject_id = %s AND status = 'WAITING'"
)


def _pay(platform: Platform, scene: Scene) -> str:
    platform.do("pay", enrollment=scene.enrollment)
    return scene.enrollment


# Certification


def _complete(platform: Platform, scene: Scene) -> str:
    _ask(platform, scene.student, "POST", f"lessons/{scene.lessons[-1]}/complete")
    return scene.enrollment


CERTIFICATES = "SELECT status, pdf <> '' AS has_pdf FROM certificates_certificate WHERE enrollment_id = %s"


def _certified(platform: Platform, enrollment: str) -> None:
    assert platform.rows(CERTIFICATES, enrollment) == [{"status": "ISSUED", "has_pdf": True}]


def _not_certified(platform: Platform, enrollment: str) -> None:
    # Prepared and unseen: the next request goes on from there.
    assert platform.one(ENROLLMENT, enrollment) == "COMPLETED"
    assert [row["status"] for row in platform.rows(CERTIFICATES, enrollment)] in ([], ["PENDING"])


# Archiving


def _archive(platform: Platform, scene: Scene) -> str:
    _ask(platform, scene.teacher, "DELETE", f"courses/{scene.course}")
    return scene.course


def _archived(platform: Platform, course: str) -> None:
    [row] = platform.rows(COURSE, course)
    assert row["status"] == "ARCHIVED"
    assert row["current_publication_id"], "those who were in it go on reading"


def _not_archived(platform: Platform, course: str) -> None:
    [row] = platform.rows(COURSE, course)
    assert row["status"] == "PUBLISHED"


STORIES = {
    story.process: story
    for story in (
        Story("publishing", _draft, _publish, _published, _not_published, ("course.published",)),
        Story("enrollment", _published_course, _enroll, _enrolled, _not_enrolled, ("enrollment.activated",)),
        Story("certification", _learner, _complete, _certified, _not_certified, ("certificate.issued",)),
        Story("archiving", _learner, _archive, _archived, _not_archived, ("course.archived",)),
    )
}
# The same process, on the way that leads past its wait.
PAID = replace(STORIES["enrollment"], prepare=_ordered, begin=_pay, waits=True)
