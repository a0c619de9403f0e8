"""Progress in the back office."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from courses.tests.factories import CourseFactory
from enrollments.models import Enrollment
from enrollments.tests.factories import EnrollmentFactory
from progress.models import LessonProgress, QuizAttempt, Submission
from progress.services import initialise_progress
from progress.tests.factories import lesson_ids, with_assignment, with_quiz

pytestmark = pytest.mark.django_db

PAGES = ["courseprogress", "lessonprogress", "quizattempt", "submission"]


@pytest.fixture
def learning(instructor: Any, rival: Any) -> dict[str, list[Any]]:
    """Two learners with something on every page: one with the instructor, one with the rival."""
    rows: dict[str, list[Any]] = {page: [] for page in PAGES}
    for teacher in (instructor, rival):
        course: Any = CourseFactory(published=True, instructor=teacher)
        enrollment: Any = EnrollmentFactory(course=course)
        initialise_progress(enrollment_id=enrollment.pk, at=timezone.now())
        rows["courseprogress"].append(enrollment.progress)
        rows["lessonprogress"].append(
            LessonProgress.objects.create(enrollment=enrollment, lesson_id=lesson_ids(course)[0])
        )
        quiz, assignment = with_quiz(course), with_assignment(course)
        rows["quizattempt"].append(QuizAttempt.objects.create(enrollment=enrollment, quiz=quiz, number=1))
        rows["submission"].append(
            Submission.objects.create(
                enrollment=enrollment, assignment=assignment, number=1, text="x", submitted_at=timezone.now(),
                submitted_by=enrollment.student,
            )
        )  # fmt: skip
    return rows


@pytest.mark.parametrize("page", PAGES)
class TestPages:
    def test_show_staff_everything(
        self,
        page: str,
        learning: dict[str, list[Any]],
        staff: Any,
        client: Client,
        django_assert_max_num_queries: Any,
    ) -> None:
        client.force_login(staff)
        with django_assert_max_num_queries(8):
            listing = client.get(f"/admin/progress/{page}/")
        for row in learning[page]:
            assert str(row.pk) in listing.content.decode()
        with django_assert_max_num_queries(12):
            assert client.get(f"/admin/progress/{page}/{learning[page][0].pk}/change/").status_code == 200
        assert client.get(f"/admin/progress/{page}/?q=person").status_code == 200

    def test_show_instructors_their_own(
        self, page: str, learning: dict[str, list[Any]], instructor: Any, client: Client
    ) -> None:
        client.force_login(instructor)
        listing = client.get(f"/admin/progress/{page}/").content.decode()
        own, foreign = learning[page]
        assert str(own.pk) in listing
        assert str(foreign.pk) not in listing
        assert client.get(f"/admin/progress/{page}/{own.pk}/change/").status_code == 200
        assert client.get(f"/admin/progress/{page}/{foreign.pk}/change/").status_code == 302

    def test_refuse_students(self, page: str, student: Any, client: Client) -> None:
        client.force_login(student)
        assert client.get(f"/admin/progress/{page}/").status_code == 302

    def test_let_nobody_write(
        self, page: str, learning: dict[str, list[Any]], administrator: Any, client: Client
    ) -> None:
        client.force_login(administrator)
        assert client.get(f"/admin/progress/{page}/add/").status_code == 403
        assert (
            client.post(f"/admin/progress/{page}/{learning[page][0].pk}/delete/", {"post": "yes"}).status_code
            == 403
        )


class TestRecompute:
    def test_is_an_action_of_staff(self, learning: dict[str, list[Any]], staff: Any, client: Client) -> None:
        progress = learning["courseprogress"][0]
        Enrollment.objects.filter(pk=progress.pk).update(percentage=80)
        client.force_login(staff)
        client.post(
            "/admin/progress/courseprogress/",
            {"action": "recompute_selected", "_selected_action": [str(progress.pk)]},
        )
        assert Enrollment.objects.get(pk=progress.pk).percentage == 0

    def test_is_not_offered_to_instructors(
        self, learning: dict[str, list[Any]], instructor: Any, client: Client
    ) -> None:
        client.force_login(instructor)
        assert "recompute_selected" not in client.get("/admin/progress/courseprogress/").content.decode()
