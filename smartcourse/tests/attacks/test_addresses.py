"""E-mail addresses that are not what they seem when they come, or not what they came as once they are stored."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.tests.factories import PASSWORD, UserFactory
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db
# “İ” is “i” and a dot above in lower case: 212 characters come, 412 would be stored.
GROWS = "İ" * 200 + "@example.org"
WHOLE: dict[str, Any] = {"password": "a long enough phrase", "full_name": "Some Body"}


class TestAddressThatGrows:
    @pytest.mark.parametrize(
        ("path", "field", "more"),
        [
            ("register", "email", WHOLE),
            ("password/reset", "email", {}),
            ("verify-email/resend", "email", {}),
            ("email/change", "new_email", {"current_password": PASSWORD}),
        ],
    )
    def test_is_a_400(
        self, path: str, field: str, more: dict[str, Any], client_of: ClientOf, student: Any
    ) -> None:
        answer = client_of(student).post(f"/api/v1/auth/{path}", {field: GROWS, **more})
        assert answer.status_code == 400
        assert [(row["field"], row["code"]) for row in answer.json()["errors"]] == [(field, "max_length")]

    def test_is_refused_by_the_page_too(self, client: Any) -> None:
        assert client.post("/forgot-password", {"email": GROWS}).status_code == 400

    def test_has_no_account_to_log_in_to(self, anonymous: Any) -> None:
        answer = anonymous.post("/api/v1/auth/login", {"email": GROWS, "password": PASSWORD})
        assert answer.json()["code"] == "invalid_credentials"


class TestLookAlike:
    def test_of_an_address_is_that_address_where_it_is_stored_as_it(self, anonymous: Any) -> None:
        # KELVIN SIGN is “k” in lower case.
        UserFactory(email="kate@example.org")
        answer = anonymous.post("/api/v1/auth/register", {"email": "\u212aate@example.org", **WHOLE})
        assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")

    @pytest.mark.parametrize("email", ["m\u0131ke@example.org", "mi\u017fter@example.org"])
    def test_that_is_another_address_opens_and_names_no_account(self, email: str, anonymous: Any) -> None:
        for real in ("mike@example.org", "mister@example.org"):
            UserFactory(email=real)
        answer = anonymous.post("/api/v1/auth/login", {"email": email, "password": PASSWORD})
        assert answer.json()["code"] == "invalid_credentials"
