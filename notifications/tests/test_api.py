"""A person's own notices: works, anonymous, stranger, invalid, repeated."""

from __future__ import annotations

from typing import Any

import pytest

from notifications.models import Message
from notifications.tests.test_messages import welcome

pytestmark = pytest.mark.django_db
URL = "/api/v1/notifications"


class TestList:
    def test_shows_ones_own_notices_and_no_mails(self, student: Any, client_of: Any) -> None:
        welcome(student)
        [row] = client_of(student).get(URL).json()["results"]
        assert set(row) == {"id", "type", "title", "body", "data", "created_at", "read_at"}
        assert row["data"] == {"course_id": "c", "course_title": "Knots & bends"}

    def test_refuses_an_anonymous_visitor(self, anonymous: Any) -> None:
        assert anonymous.get(URL).status_code == 401

    @pytest.mark.parametrize("who", ["stranger", "instructor", "staff", "administrator"])
    def test_shows_nobody_the_notices_of_another(
        self, who: str, student: Any, client_of: Any, request: pytest.FixtureRequest
    ) -> None:
        welcome(student)
        assert client_of(request.getfixturevalue(who)).get(URL).json()["results"] == []

    def test_refuses_a_type_that_does_not_exist(self, student: Any, client_of: Any) -> None:
        assert client_of(student).get(URL, {"type": "gossip"}).status_code == 400

    def test_filters_the_unread(self, student: Any, client_of: Any) -> None:
        welcome(student)
        assert len(client_of(student).get(URL, {"unread": "true"}).json()["results"]) == 1
        client_of(student).post(f"{URL}/read-all")
        assert client_of(student).get(URL, {"unread": "true"}).json()["results"] == []

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, student: Any, client_of: Any, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(5):
            welcome(student)
        with django_assert_max_num_queries(2):
            assert len(client_of(student).get(URL).json()["results"]) == 5


class TestRead:
    def test_notes_the_first_reading_and_keeps_it(self, student: Any, client_of: Any) -> None:
        welcome(student)
        notice = Message.objects.in_app().get()
        first = client_of(student).post(f"{URL}/{notice.pk}/read").json()["read_at"]
        assert first
        assert client_of(student).post(f"{URL}/{notice.pk}/read").json()["read_at"] == first

    def test_hides_a_strangers_notice(self, student: Any, stranger: Any, client_of: Any) -> None:
        welcome(student)
        notice = Message.objects.in_app().get()
        assert client_of(stranger).post(f"{URL}/{notice.pk}/read").status_code == 404
        assert client_of(None).post(f"{URL}/{notice.pk}/read").status_code == 401

    def test_counts_what_is_unread(self, student: Any, stranger: Any, client_of: Any) -> None:
        welcome(student)
        assert client_of(student).get(f"{URL}/unread-count").json() == {"unread": 1}
        assert client_of(stranger).post(f"{URL}/read-all").json() == {"unread": 0}
        assert client_of(student).get(f"{URL}/unread-count").json() == {"unread": 1}
        assert client_of(student).post(f"{URL}/read-all").json() == {"unread": 0}
