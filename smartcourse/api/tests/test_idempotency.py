"""A POST with an Idempotency-Key: once, and answered again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.tests.factories import UserFactory
from courses.models import Course, CourseSeats, Material
from courses.tests.factories import CourseFactory
from enrollments.models import Enrollment
from smartcourse.api.idempotency import KEPT, REPLAYED, prune_answers
from smartcourse.api.models import RecordedAnswer
from smartcourse.api.tasks import prune
from smartcourse.events.models import OutboxFact
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db
COURSES = "/api/v1/courses"
BODY = {"title": "Knots", "goals": ["Tie", "Untie"]}


def post(
    client: Any, body: Any = None, *, key: str = "k-1", address: str = COURSES, kind: str = "json"
) -> Any:
    return client.post(address, BODY if body is None else body, format=kind, HTTP_IDEMPOTENCY_KEY=key)


@pytest.fixture
def author(client_of: ClientOf, instructor: Any) -> Any:
    return client_of(instructor)


class TestKey:
    def test_answers_the_same_again_and_does_nothing_again(self, author: Any) -> None:
        first, second = post(author), post(author)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.content == second.content
        assert REPLAYED not in first.headers
        assert second[REPLAYED] == "true"
        assert Course.objects.count() == 1
        assert OutboxFact.objects.filter(type="course.created").count() == 1

    def test_means_the_same_body_whatever_the_order_of_its_members(self, author: Any) -> None:
        post(author)
        assert post(author, dict(reversed(BODY.items())))[REPLAYED] == "true"

    def test_is_the_same_between_quotes(self, author: Any) -> None:
        post(author, key='"k-1"')
        assert post(author, key="k-1")[REPLAYED] == "true"

    @pytest.mark.parametrize(
        ("body", "address"),
        [({"title": "Splices"}, COURSES), (BODY, f"{COURSES}?x=1"), ({**BODY, "goals": ["Untie", "Tie"]}, COURSES)],
    )  # fmt: skip
    def test_is_refused_with_another_request(self, author: Any, body: Any, address: str) -> None:
        post(author)
        other = post(author, body, address=address)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert Course.objects.count() == 1

    @pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é", "a\\b", 'a"b', '""'])
    def test_of_other_characters_is_refused(self, author: Any, key: str) -> None:
        answer = post(author, key=key)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
        assert [row["field"] for row in answer.json()["errors"]] == ["Idempotency-Key"]
        assert not Course.objects.exists()

    def test_of_another_person_is_invisible(self, author: Any, client_of: ClientOf, rival: Any) -> None:
        first, other = post(author), post(client_of(rival))
        assert other.status_code == 201
        assert REPLAYED not in other.headers
        assert first.json()["id"] != other.json()["id"]

    def test_is_a_key_of_a_day(self, author: Any) -> None:
        post(author)
        RecordedAnswer.objects.update(created_at=F("created_at") - KEPT)
        assert REPLAYED not in post(author).headers
        assert post(author)[REPLAYED] == "true"
        assert (Course.objects.count(), RecordedAnswer.objects.count()) == (2, 1)

    def test_is_not_needed(self, author: Any) -> None:
        for _ in range(2):
            assert author.post(COURSES, BODY).status_code == 201
        assert not RecordedAnswer.objects.exists()
        assert Course.objects.count() == 2

    def test_costs_nothing_where_there_is_none_and_little_where_there_is(self, author: Any) -> None:
        # What is asked of a caller once is asked now.
        author.post(COURSES, {"title": "Nought"})
        with CaptureQueriesContext(connection) as plain:
            author.post(COURSES, {"title": "One"})
        with CaptureQueriesContext(connection) as keyed:
            post(author, {"title": "Two"})
        with CaptureQueriesContext(connection) as replayed:
            post(author, {"title": "Two"})
        of = [
            [q for q in c.captured_queries if "SAVEPOINT" not in q["sql"]] for c in (plain, keyed, replayed)
        ]
        # The lock, the look for an answer, and its record.
        assert len(of[1]) == len(of[0]) + 3
        assert len(of[2]) == 2
        assert not any("advisory" in q["sql"] for q in of[0])


class TestRefusals:
    def test_of_a_rule_stay(self, client_of: ClientOf, student: Any) -> None:
        course = CourseFactory(published=True, capacity=1)
        CourseSeats.objects.filter(course=course).update(taken=1)
        client, asked = client_of(student), {"course_id": str(course.pk)}
        first = post(client, asked, address="/api/v1/enrollments")
        CourseSeats.objects.filter(course=course).update(taken=0)
        again = post(client, asked, address="/api/v1/enrollments")
        assert (first.status_code, again.status_code) == (422, 422)
        assert (first.content, again["Content-Type"]) == (again.content, "application/problem+json")
        assert again[REPLAYED] == "true"
        assert not Enrollment.objects.exists()
        assert post(client, asked, address="/api/v1/enrollments", key="new").status_code == 201

    def test_of_an_input_may_be_mended(self, author: Any) -> None:
        assert post(author, {"title": ""}).status_code == 400
        assert post(author).status_code == 201

    def test_of_a_stranger_are_not_kept(self, client_of: ClientOf, student: Any) -> None:
        assert post(client_of(student)).status_code == 403
        assert post(client_of(None)).status_code == 401
        assert not RecordedAnswer.objects.exists()

    def test_by_a_bug_leave_nothing(self, author: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from courses import services

        def half(**words: Any) -> Any:
            Course.objects.create(instructor=words["instructor"], title="Half", slug="half")
            raise ZeroDivisionError

        with monkeypatch.context() as broken:
            broken.setattr(services, "create_course", half)
            author.raise_request_exception = False
            assert post(author).status_code == 500
        assert not Course.objects.exists()
        assert post(author).status_code == 201


class TestSecrets:
    def test_and_persons_are_not_to_be_read_in_the_table(self, author: Any) -> None:
        hook = {"url": "https://example.org/hook", "fact_types": ["course.published"]}
        first = post(author, hook, address="/api/v1/webhooks")
        assert first.status_code == 201, first.content
        kept = RecordedAnswer.objects.get()
        for word in (first.json()["secret"], "example.org", str(User.objects.get().pk), "k-1"):
            assert word.encode() not in bytes(kept.answer)
            assert word not in kept.id + kept.fingerprint
        assert post(author, hook, address="/api/v1/webhooks").content == first.content

    @pytest.mark.parametrize("address", ["login", "token"])
    def test_of_a_log_in_are_not_kept(self, anonymous: Any, address: str) -> None:
        user = UserFactory()
        body = {"email": user.email, "password": "correct horse battery"}
        for _ in range(2):
            answer = post(anonymous, body, address=f"/api/v1/auth/{address}")
            assert REPLAYED not in answer.headers
        assert not RecordedAnswer.objects.exists()

    def test_of_a_registration_are_for_who_knows_the_whole_of_it(self, anonymous: Any) -> None:
        body = {"email": "a@example.org", "password": "correct horse battery", "full_name": "Ann Able"}
        address = "/api/v1/auth/register"
        first = post(anonymous, body, address=address)
        assert first.status_code == 201
        assert post(anonymous, body, address=address).content == first.content
        assert post(anonymous, {**body, "password": "guessed it, did I"}, address=address).status_code == 422
        elsewhere = anonymous.post(
            address, body, format="json", HTTP_IDEMPOTENCY_KEY="k-1", REMOTE_ADDR="192.0.2.7"
        )
        assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "duplicate")


class TestFiles:
    def test_count_by_what_is_in_them(self, author: Any, instructor: Any) -> None:
        address = f"{COURSES}/{CourseFactory(instructor=instructor).pk}/materials"

        def upload(content: bytes) -> Any:
            form = {"file": SimpleUploadedFile("notes.txt", content, content_type="text/plain")}
            return post(author, form, address=address, kind="multipart")

        first = upload(b"one and the same")
        assert first.status_code == 201, first.content
        assert upload(b"one and the same").content == first.content
        assert upload(b"another, as long").status_code == 422
        assert Material.objects.count() == 1


class TestPublish:
    def test_by_key_tells_its_fact_after_the_commit_like_any_other(
        self, author: Any, instructor: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        course = CourseFactory(instructor=instructor)
        with django_capture_on_commit_callbacks() as plain:
            author.post(f"{COURSES}/{CourseFactory(instructor=instructor).pk}/publish")
        with django_capture_on_commit_callbacks() as keyed:
            first = post(author, {}, address=f"{COURSES}/{course.pk}/publish")
        with django_capture_on_commit_callbacks() as replayed:
            again = post(author, {}, address=f"{COURSES}/{course.pk}/publish")
        assert len(keyed) == len(plain) > 0
        assert replayed == []
        assert (first.status_code, first.content) == (202, again.content)


class TestPruning:
    def test_forgets_after_a_day(self, author: Any) -> None:
        post(author, key="old")
        RecordedAnswer.objects.update(created_at=F("created_at") - KEPT - timedelta(minutes=1))
        post(author, key="new")
        assert prune_answers() == 1
        assert RecordedAnswer.objects.count() == 1
        assert prune() is None

    def test_is_on_the_schedule(self) -> None:
        assert prune.name in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
