"""What is nobody else's business: a telephone number and a day of birth, to oneself and staff."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from accounts.models import User
from accounts.tests.factories import UserFactory
from accounts.tests.signing_in import ME, bearer, log_in
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db

BORN = "1990-02-28"


@pytest.fixture
def person() -> Any:
    return UserFactory(phone="+4930901820", birth_date=date(1990, 2, 28))


class TestPersonalData:
    def test_is_told_and_changed_by_its_owner(self, student: Any) -> None:
        client = bearer(log_in(student)["access_token"])
        assert (
            client.patch(ME, {"phone": "+49 (30) 901-820", "birth_date": BORN}, format="json").status_code
            == 200
        )
        told = client.get(ME).json()
        assert (told["phone"], told["birth_date"]) == ("+4930901820", BORN)
        assert client.patch(ME, {"phone": "", "birth_date": None}, format="json").json()["phone"] == ""
        assert client.get(ME).json()["birth_date"] is None

    def test_is_told_by_a_session_that_the_cache_knows(self, person: Any) -> None:
        client = bearer(log_in(person)["access_token"])
        assert [client.get(ME).json()["birth_date"] for _ in range(3)] == [BORN] * 3

    def test_is_shown_to_staff_one_by_one(self, person: Any, staff: Any, client_of: ClientOf) -> None:
        client = client_of(staff)
        assert client.get(f"/api/v1/users/{person.pk}").json()["phone"] == "+4930901820"
        assert "phone" not in client.get("/api/v1/users").json()["results"][0]

    def test_is_shown_to_nobody_else(self, person: Any, student: Any, client_of: ClientOf) -> None:
        told = client_of(student).get(f"/api/v1/users/{person.pk}")
        assert not {"phone", "birth_date", "email"} & set(told.json())

    def test_of_others_is_changed_by_nobody_but_staff(
        self, person: Any, student: Any, anonymous: Any, client_of: ClientOf
    ) -> None:
        address = f"/api/v1/users/{person.pk}"
        assert client_of(student).patch(address, {"phone": ""}, format="json").status_code == 403
        assert anonymous.patch(address, {"phone": ""}, format="json").status_code == 401
        assert User.objects.get(pk=person.pk).phone

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("phone", "030 901820"), ("phone", "+49"), ("phone", "call me"), ("phone", " +4930901820"),
            ("phone", None), ("phone", "+" * 41), ("phone", "+4930901820\x00"), ("phone", ["+4930901820"]),
            ("birth_date", "tomorrow"), ("birth_date", "1990-02-30"), ("birth_date", 7), ("birth_date", ""),
        ],
    )  # fmt: skip
    def test_is_refused_where_it_has_not_the_form(
        self, person: Any, field: str, value: Any, client_of: ClientOf
    ) -> None:
        assert self.refused(client_of(person), field, value, person) == 400

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("phone", "+1 555 0100 999 9999"), ("phone", "+999 12345678"), ("phone", "+(((((("),
            ("birth_date", "2990-01-01"), ("birth_date", "1815-12-10"),
        ],
    )  # fmt: skip
    def test_is_refused_where_it_cannot_be(
        self, person: Any, field: str, value: Any, client_of: ClientOf
    ) -> None:
        assert self.refused(client_of(person), field, value, person) == 422

    def refused(self, client: Any, field: str, value: Any, person: Any) -> int:
        """Send it, see that nothing of it stays, and return the status."""
        answer = client.patch(ME, {field: value}, format="json")
        assert answer.json()["errors"][0]["field"] == field
        kept = User.objects.get(pk=person.pk)
        assert (kept.phone, str(kept.birth_date)) == ("+4930901820", BORN)
        return int(answer.status_code)

    def test_is_the_same_when_it_is_sent_again(self, student: Any, client_of: ClientOf) -> None:
        client = client_of(student)
        for _ in range(2):
            assert client.patch(ME, {"phone": "+4930901820"}, format="json").json()["phone"] == "+4930901820"
