"""Attempts at quizzes and submissions for assignments."""

from __future__ import annotations

from typing import Any

import pytest

from courses.tests.factories import CourseFactory
from enrollments.models import EnrollmentStatus
from enrollments.tests.factories import EnrollmentFactory
from progress.models import QuizAttempt, Submission
from progress.tests.factories import right_answers, with_assignment, with_quiz
from smartcourse.db.identifiers import uuid7
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db


@pytest.fixture
def course(instructor: Any) -> Any:
    return CourseFactory(published=True, modules=1, lessons=1, instructor=instructor)


@pytest.fixture
def quiz(course: Any) -> Any:
    return with_quiz(course, attempt_limit=2)


@pytest.fixture
def assignment(course: Any) -> Any:
    return with_assignment(course)


@pytest.fixture
def enrollment(student: Any, course: Any) -> Any:
    return EnrollmentFactory(student=student, course=course)


def attempts(quiz: Any) -> str:
    return f"/api/v1/quizzes/{quiz.pk}/attempts"


def submit(quiz: Any) -> str:
    return f"/api/v1/quizzes/{quiz.pk}/submit"


def submissions(assignment: Any) -> str:
    return f"/api/v1/assignments/{assignment.pk}/submissions"


# Who is not enrolled: students are refused, other instructors do not find it, those who teach it read and do not take.
TAKING = [("stranger", 403), ("instructor", 403), ("rival", 404), ("staff", 403), ("administrator", 403)]
LISTING = [("stranger", 403), ("instructor", 200), ("rival", 404), ("staff", 200), ("administrator", 200)]


class TestStarting:
    def test_asks_the_questions_and_keeps_the_key(
        self, student: Any, quiz: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        answer = client_of(student).post(attempts(quiz))
        assert answer.status_code == 201, answer.data
        attempt = QuizAttempt.objects.get()
        shown = answer.json()
        assert (shown["id"], shown["number"], shown["attempts_left"]) == (str(attempt.pk), 1, 1)
        assert [set(question) for question in shown["questions"]] == [
            {"id", "kind", "prompt", "choices", "points"}
        ] * 2
        assert "Count them" not in answer.content.decode()

    def test_goes_on_with_the_one_that_is_open(
        self, student: Any, quiz: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        first, second = (client_of(student).post(attempts(quiz)) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json() == second.json()

    def test_refuses_when_all_attempts_are_used(
        self, student: Any, quiz: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        client = client_of(student)
        for _ in range(2):
            client.post(submit(quiz), {"answers": {}})
        answer = client.post(attempts(quiz))
        assert (answer.status_code, answer.data["code"]) == (422, "attempt_limit_reached")

    @pytest.mark.parametrize(("who", "status"), TAKING)
    def test_is_for_the_enrolled(
        self, who: str, status: int, quiz: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        client = client_of(request.getfixturevalue(who))
        assert client.post(attempts(quiz)).status_code == status
        assert client.post(submit(quiz), {"answers": {}}).status_code == status

    def test_refuses_anonymous_visitors(self, quiz: Any, anonymous: Any) -> None:
        assert anonymous.post(attempts(quiz)).status_code == 401
        assert anonymous.post(submit(quiz), {"answers": {}}).status_code == 401

    def test_does_not_find_what_is_not_published(self, student: Any, client_of: ClientOf) -> None:
        course: Any = CourseFactory()
        draft = with_quiz(course)
        draft.lesson.module.course.publications.update(published_at=None)
        type(draft.lesson.module.course).objects.update(current_publication=None, status="DRAFT")
        assert client_of(student).post(attempts(draft)).status_code == 404
        assert client_of(student).post(f"/api/v1/quizzes/{uuid7()}/attempts").status_code == 404


class TestSubmitting:
    def test_what_passes_completes_the_lesson(
        self, student: Any, quiz: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        started = client_of(student).post(attempts(quiz)).json()
        answers = right_answers(quiz)
        answer = client_of(student).post(submit(quiz), {"attempt_id": started["id"], "answers": answers})
        assert answer.status_code == 200, answer.data
        result = answer.json()
        assert (result["id"], result["number"], result["student_id"]) == (started["id"], 1, str(student.pk))
        assert (result["score"], result["maximum"], result["percentage"], result["passed"]) == (
            3,
            3,
            100,
            True,
        )
        assert {row["question_id"] for row in result["results"]} == set(answers)
        enrollment.refresh_from_db()
        assert enrollment.status == EnrollmentStatus.COMPLETED
        page = client_of(student).get(f"/api/v1/lessons/{quiz.lesson_id}").json()
        assert (page["quiz"]["attempts_made"], page["quiz"]["passed"]) == (1, True)

    def test_what_fails_leaves_the_lesson_open(
        self, student: Any, quiz: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        result = client_of(student).post(submit(quiz), {"answers": {}}).json()
        assert (result["passed"], result["score"], result["attempts_left"]) == (False, 0, 1)
        enrollment.refresh_from_db()
        assert enrollment.percentage == 0
        assert client_of(student).post(f"/api/v1/lessons/{quiz.lesson_id}/complete").status_code == 422

    def test_refuses_an_attempt_that_was_handed_in(
        self, student: Any, quiz: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        client = client_of(student)
        body = {
            "attempt_id": client.post(submit(quiz), {"answers": {}}).json()["id"],
            "answers": right_answers(quiz),
        }
        answer = client.post(submit(quiz), body)
        assert (answer.status_code, answer.data["code"]) == (409, "invalid_state")
        assert QuizAttempt.objects.get().passed is False

    def test_does_not_find_anothers_attempt(
        self, student: Any, classmate: Any, course: Any, quiz: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        EnrollmentFactory(student=classmate, course=course)
        mine = client_of(student).post(attempts(quiz)).json()["id"]
        answer = client_of(classmate).post(submit(quiz), {"attempt_id": mine, "answers": {}})
        assert answer.status_code == 404

    @pytest.mark.parametrize(
        "body",
        [{}, {"answers": []}, {"answers": {}, "passed": True}, {"answers": {}, "attempt_id": "x"}, {"answers": "a"},
         {"answers": {"x": "\x00"}}, {"answers": {"x\x00": 1}}, {"answers": {"x": "a" * 200_000}}],
    )  # fmt: skip
    def test_refuses_what_it_does_not_understand(
        self, body: Any, student: Any, quiz: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        assert client_of(student).post(submit(quiz), body).status_code == 400
        assert not QuizAttempt.objects.exists()


class TestListingAttempts:
    def test_shows_ones_own(
        self, student: Any, classmate: Any, course: Any, quiz: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        EnrollmentFactory(student=classmate, course=course)
        for person in (student, classmate):
            client_of(person).post(submit(quiz), {"answers": {}})
        mine = client_of(student).get(attempts(quiz)).data["results"]
        assert [row["student_id"] for row in mine] == [str(student.pk)]

    @pytest.mark.parametrize(("who", "status"), LISTING)
    def test_is_for_learners_and_those_who_teach(
        self, who: str, status: int, student: Any, quiz: Any, enrollment: Any, client_of: ClientOf,
        request: pytest.FixtureRequest,
    ) -> None:  # fmt: skip
        client_of(student).post(submit(quiz), {"answers": {}})
        answer = client_of(request.getfixturevalue(who)).get(attempts(quiz))
        assert answer.status_code == status
        if status == 200:
            assert len(answer.data["results"]) == 1

    def test_refuses_anonymous_visitors(self, quiz: Any, anonymous: Any) -> None:
        assert anonymous.get(attempts(quiz)).status_code == 401

    @pytest.mark.parametrize("count", [1, 4])
    def test_asks_as_often_for_many_as_for_one(
        self,
        count: int,
        staff: Any,
        course: Any,
        quiz: Any,
        client_of: ClientOf,
        django_assert_num_queries: Any,
    ) -> None:
        for number in range(count):
            enrollment: Any = EnrollmentFactory(course=course)
            QuizAttempt.objects.create(enrollment=enrollment, quiz=quiz, number=number + 1)
        client = client_of(staff)
        client.get(attempts(quiz))  # roles are read once a person
        with django_assert_num_queries(3):
            assert len(client.get(attempts(quiz)).data["results"]) == count


class TestHandingIn:
    def test_completes_the_lesson(
        self, student: Any, assignment: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        answer = client_of(student).post(submissions(assignment), {"text": "My essay"})
        assert answer.status_code == 201, answer.data
        assert (answer.data["number"], answer.data["text"]) == (1, "My essay")
        enrollment.refresh_from_db()
        assert (enrollment.status, enrollment.percentage) == (EnrollmentStatus.COMPLETED, 100)
        assert Submission.objects.get().submitted_by == student

    def test_again_adds_a_submission(
        self, student: Any, assignment: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        client = client_of(student)
        client.post(submissions(assignment), {"text": "First"})
        assert client.post(submissions(assignment), {"text": "Better"}).data["number"] == 2
        assert [row["text"] for row in client.get(submissions(assignment)).data["results"]] == [
            "Better",
            "First",
        ]

    @pytest.mark.parametrize(
        "body", [{}, {"text": ""}, {"text": "\x00"}, {"text": "x" * 50_001}, {"text": "x", "number": 9}]
    )
    def test_refuses_what_it_does_not_understand(
        self, body: Any, student: Any, assignment: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        assert client_of(student).post(submissions(assignment), body).status_code == 400

    @pytest.mark.parametrize(("who", "status"), TAKING)
    def test_is_for_the_enrolled(
        self, who: str, status: int, assignment: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        answer = client_of(request.getfixturevalue(who)).post(submissions(assignment), {"text": "x"})
        assert answer.status_code == status

    @pytest.mark.parametrize(("who", "status"), LISTING)
    def test_is_read_by_those_who_teach(
        self, who: str, status: int, student: Any, assignment: Any, enrollment: Any, client_of: ClientOf,
        request: pytest.FixtureRequest,
    ) -> None:  # fmt: skip
        client_of(student).post(submissions(assignment), {"text": "My essay"})
        assert client_of(request.getfixturevalue(who)).get(submissions(assignment)).status_code == status

    def test_refuses_anonymous_visitors(self, assignment: Any, anonymous: Any) -> None:
        assert anonymous.post(submissions(assignment), {"text": "x"}).status_code == 401
        assert anonymous.get(submissions(assignment)).status_code == 401
