"""Seeding: through the services, and the same data however often it is run, or interrupted."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Role, User
from courses import services as courses
from courses.models import Course, CourseStatus, Quiz
from enrollments.models import Enrollment, EnrollmentStatus
from progress.models import LessonProgress
from smartcourse.demo import seeding
from smartcourse.errors import RuleViolated
from smartcourse.queues import dispatch
from smartcourse.workflows.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_data_folder(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path / "data"


def seed() -> dict[str, int]:
    out = io.StringIO()
    call_command("seed_demo", "--json", stdout=out)
    return dict(json.loads(out.getvalue()))


def refuse(**_: Any) -> None:
    raise RuleViolated("The demo is not in the mood.")


def everything() -> dict[str, Any]:
    return {
        "people": sorted(User.objects.values_list("email", "password")),
        "courses": sorted(Course.objects.values_list("slug", "status")),
        "standing": sorted(
            Enrollment.objects.values_list("student__email", "course__slug", "status", "percentage")
        ),
        "completed": LessonProgress.objects.completed().count(),
    }


class TestSeedDemo:
    def test_loads_what_the_demo_promises(self, client_of: Any) -> None:
        seed()
        published = Course.objects.filter(status=CourseStatus.PUBLISHED)
        assert published.count() == 3
        assert Course.objects.filter(status=CourseStatus.DRAFT).count() == 1
        assert len({course.category_id for course in published}) == 3
        assert all(course.price_cents == 0 and course.seats.capacity is None for course in published)
        assert all(Quiz.objects.filter(lesson__module__course=course).count() == 1 for course in published)
        assert {e.status for e in Enrollment.objects.all()} == {
            EnrollmentStatus.ACTIVE,
            EnrollmentStatus.COMPLETED,
        }
        assert User.objects.with_role(Role.ADMIN).count() == 1
        assert client_of(None).get("/api/v1/courses").json()["count"] == 3

    def test_tells_passwords_that_work_and_no_others(self) -> None:
        out = io.StringIO()
        call_command("seed_demo", stdout=out, stderr=io.StringIO())
        rows = [line.split() for line in out.getvalue().splitlines()[1:]]
        assert [role for role, _, _ in rows] == ["admin", "instructor", "student"]
        for role, email, password in rows:
            user = User.objects.get(email=email)
            assert user.check_password(password)
            assert user.role == role
        told = [email for _, email, _ in rows]
        assert not any(user.has_usable_password() for user in User.objects.exclude(email__in=told))

    def test_finishes_what_was_interrupted_and_changes_nothing_afterwards(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        studied: list[object] = []
        study = seeding._study

        def interrupted(*args: Any, **kwargs: Any) -> None:
            if len(studied) == 20:
                raise KeyboardInterrupt
            studied.append(args)
            study(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(seeding, "_study", interrupted)
            with pytest.raises(KeyboardInterrupt):
                seed()
        seed()
        finished = everything()
        assert set(seed().values()) == {0}
        assert everything() == finished
        assert finished["completed"] > 90

    @pytest.mark.django_db(transaction=True)
    def test_shows_workers_beside_it_no_process_that_is_under_way(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A worker that took one up before we do would leave us with a course that is not published yet."""
        [course, *_] = [course for course in seeding.read_demo_courses() if course.is_published]
        [standing, *_] = [one for one in seeding.read_demo_standings() if one.course_slug == course.slug]
        monkeypatch.setattr(seeding, "read_demo_courses", lambda: [course])
        monkeypatch.setattr(seeding, "read_demo_standings", lambda: [standing])
        seen: list[int] = []
        monkeypatch.setattr(dispatch, "send_now", lambda *_, **__: seen.append(Run.objects.live().count()))
        assert seed()["enrollments"] == 1
        assert len(seen) >= Run.objects.count() == 2
        assert set(seen) == {0}

    def test_says_which_course_cannot_be_published_and_why(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(courses, "validate_course", refuse)
        with pytest.raises(CommandError, match="was not published: The demo is not in the mood"):
            seed()

    def test_refuses_where_real_people_are(self, settings: Any) -> None:
        settings.DEMO_ALLOWED = False
        with pytest.raises(CommandError, match="development only"):
            call_command("seed_demo")
        assert not User.objects.exists()
