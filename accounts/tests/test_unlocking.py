"""What ends a lock: a new password, an administrator, time; and the lock on changing a password."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as product
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import SignInAttempts
from accounts.tasks import prune_sign_in_attempts
from accounts.tests.factories import PASSWORD
from accounts.tests.guessing import NOBODY, WRONG, guess, guess_from_everywhere, sign_in


@pytest.mark.django_db
class TestPasswordChange:
    url = "/api/v1/auth/password/change"

    def test_is_guessed_at_five_times(self, student: Any, client_of: Any) -> None:
        body = {"current_password": WRONG, "new_password": "staple battery horse"}
        statuses = [
            client_of(student).post(self.url, body, REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(6)
        ]
        assert statuses == [422] * 5 + [429]
        assert sign_in(student.email, PASSWORD).status_code == 200, "signing in is another matter"

    def test_is_not_locked_by_strangers(self, student: Any, client_of: Any) -> None:
        guess(student.email, 5)
        body = {"current_password": PASSWORD, "new_password": "staple battery horse"}
        assert client_of(student).post(self.url, body, REMOTE_ADDR="192.0.2.1").status_code == 204

    def test_in_the_back_office_is_guessed_at_five_times_too(self, staff: Any, client: Client) -> None:
        client.force_login(staff)
        new = "staple battery horse"
        form = {"old_password": WRONG, "new_password1": new, "new_password2": new}
        for _ in range(5):
            assert "Too many" not in client.post("/admin/password_change/", form).content.decode()
        page = client.post("/admin/password_change/", {**form, "old_password": PASSWORD})
        assert (page.status_code, "Too many wrong passwords" in page.content.decode()) == (200, True)

    def test_forgets_the_locks_and_the_places_that_knew_the_former_one(self, student: Any) -> None:
        guess(student.email, 5)
        new = "staple battery horse"
        services.set_password(user_id=student.pk, password=new, at=timezone.now())
        assert not SignInAttempts.objects.exists()
        assert sign_in(student.email, new).status_code == 200


@pytest.mark.django_db
class TestUnlocking:
    def test_by_command(self, student: Any) -> None:
        guess(student.email, 5)

        def unlock(*options: str) -> str:
            out = io.StringIO()
            call_command("unlock_account", student.email.upper(), *options, stdout=out)
            return out.getvalue()

        assert unlock("--dry-run") == "1 places are locked.\n"
        assert sign_in(student.email, PASSWORD).status_code == 429
        assert json.loads(unlock("--json")) == {"locked": 1, "unlocked": True}
        assert sign_in(student.email, PASSWORD).status_code == 200
        assert json.loads(unlock("--json", "--dry-run")) == {"locked": 0, "unlocked": False}
        assert unlock() == "Unlocked; 0 places were locked.\n"

    def test_keeps_known_places_known(self, student: Any) -> None:
        sign_in(student.email, PASSWORD)
        guess(student.email, 5)
        services.unlock_account(email=student.email)
        guess_from_everywhere(student.email, 10)
        assert sign_in(student.email, PASSWORD).status_code == 200

    @pytest.mark.parametrize(("who", "may"), [("administrator", True), ("staff", False)])
    def test_on_a_person_by_administrators(
        self, who: str, may: bool, student: Any, client: Client, request: pytest.FixtureRequest
    ) -> None:
        guess(student.email, 5)
        client.force_login(request.getfixturevalue(who))
        page = client.get(f"/admin/accounts/user/{student.pk}/change/")
        assert ("Unlock signing in" in page.content.decode()) is may
        client.post("/admin/accounts/user/", {"action": "unlock", "_selected_action": [student.pk]})
        assert sign_in(student.email, PASSWORD).status_code == (200 if may else 429)

    def test_in_the_list_of_locked_pairs(
        self, student: Any, administrator: Any, client: Client, django_assert_max_num_queries: Any
    ) -> None:
        guess(student.email, 5)
        guess(NOBODY, 5)
        client.force_login(administrator)
        url = "/admin/accounts/signinattempts/"
        with django_assert_max_num_queries(14):
            page = client.get(url, {"state": "locked"}).content.decode()
        assert student.full_name in page
        assert "an address without an account" in page
        assert services.lockout.account_name(NOBODY) not in page
        row = SignInAttempts.objects.pairs().get(user=student)
        assert client.get(f"{url}{row.pk}/change/").status_code == 200
        client.post(url, {"action": "unlock", "_selected_action": [row.pk]})
        assert sign_in(student.email, PASSWORD).status_code == 200
        assert sign_in(NOBODY).status_code == 429


@pytest.mark.django_db
class TestPruning:
    def test_keeps_what_still_decides_something(self, student: Any) -> None:
        with time_machine.travel(timezone.now(), tick=False) as clock:
            sign_in(student.email, PASSWORD)
            guess(NOBODY, 3)
            clock.shift(timedelta(days=1, seconds=1))
            prune_sign_in_attempts()
            assert [row.user for row in SignInAttempts.objects.all()] == [student]
            clock.shift(product.KNOWN_PLACE_LIFETIME)
            prune_sign_in_attempts()
            assert not SignInAttempts.objects.exists()
