"""Guessing passwords: slow for who guesses, and no lock for anybody else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import time_machine
from django.conf import settings as product
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import SignInAttempts
from accounts.tests.factories import PASSWORD
from accounts.tests.guessing import NOBODY, WRONG, guess, guess_from_everywhere, sign_in


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def body_of(answer: Any) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "request_id"}


@pytest.mark.django_db
class TestOnePlace:
    def test_is_locked_after_five_failures_for_a_quarter_of_an_hour(self, student: Any, clock: Any) -> None:
        assert guess(student.email, 6) == [401] * 5 + [429]
        answer = sign_in(student.email, PASSWORD)
        assert (answer.status_code, answer.json()["code"]) == (429, "locked_out")
        assert answer["Retry-After"] == "900"
        clock.shift(timedelta(minutes=14, seconds=59))
        assert sign_in(student.email, PASSWORD)["Retry-After"] == "1"
        clock.shift(timedelta(seconds=1))
        assert sign_in(student.email, PASSWORD).status_code == 200

    def test_is_not_kept_locked_by_knocking_on(self, student: Any, clock: Any) -> None:
        guess(student.email, 5)
        for _ in range(3):
            clock.shift(timedelta(minutes=5))
            last = sign_in(student.email, PASSWORD).status_code
        assert last == 200

    def test_begins_anew_after_a_success_and_after_a_rest(self, student: Any, clock: Any) -> None:
        guess(student.email, 4)
        assert sign_in(student.email, PASSWORD).status_code == 200
        assert guess(student.email, 4) == [401] * 4
        clock.shift(timedelta(minutes=15))
        assert guess(student.email, 5) == [401] * 5

    def test_is_locked_for_that_account_only(self, student: Any, stranger: Any) -> None:
        guess(student.email, 5)
        assert sign_in(stranger.email, PASSWORD).status_code == 200

    def test_does_not_lock_the_owner_elsewhere(self, student: Any) -> None:
        guess(student.email, 5)
        assert sign_in(student.email, PASSWORD, of="203.0.113.9").status_code == 200

    def test_counts_the_same_whatever_case_the_address_is_typed_in(self, student: Any) -> None:
        assert guess(student.email.upper(), 5) == [401] * 5
        assert guess(f" {student.email} ", 1) == [429]

    def test_is_a_whole_network_of_version_six(self, student: Any) -> None:
        answers = [sign_in(student.email, of=f"2001:db8:1:1::{n:x}").status_code for n in range(1, 7)]
        assert answers == [401] * 5 + [429]
        assert sign_in(student.email, of="2001:db8:1:2::1").status_code == 401
        assert guess(student.email, 6, of="::ffff:192.0.2.5")[-1] == 429
        assert sign_in(student.email, of="192.0.2.5").status_code == 429, "mapped, it is the same address"

    def test_is_not_changed_by_a_header(self, student: Any) -> None:
        for n in range(5):
            sign_in(student.email, client=APIClient(HTTP_X_FORWARDED_FOR=f"10.0.0.{n}"))
        client = APIClient(HTTP_X_FORWARDED_FOR="10.9.9.9")
        assert sign_in(student.email, client=client).status_code == 429

    def test_is_counted_with_an_idempotency_key_too(self, student: Any) -> None:
        clients = [APIClient(HTTP_IDEMPOTENCY_KEY=f"key-number-{n}") for n in range(6)]
        assert [sign_in(student.email, client=c).status_code for c in clients] == [401] * 5 + [429]

    def test_is_one_for_every_door(self, staff: Any, client: Client) -> None:
        guess(staff.email, 2)
        form = f"username={staff.email}&password=wrong"
        for _ in range(2):
            kind = "application/x-www-form-urlencoded"
            APIClient().post("/api/v1/auth/token", form, content_type=kind, REMOTE_ADDR="192.0.2.1")
        page = {"username": staff.email, "password": WRONG}
        assert client.post("/admin/login/", page, REMOTE_ADDR="192.0.2.1").status_code == 200
        refused = client.post("/admin/login/", {**page, "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
        assert (refused.status_code, refused["Retry-After"]) == (429, "900")
        assert sign_in(staff.email, PASSWORD).status_code == 429


@pytest.mark.django_db
class TestUnknownAccount:
    def test_is_told_the_same_to_the_letter(self, student: Any, clock: Any) -> None:
        answers = [[sign_in(email) for _ in range(7)] for email in (student.email, NOBODY)]
        told = [[(a.status_code, body_of(a), a.get("Retry-After")) for a in row] for row in answers]
        assert told[0] == told[1]
        for email in (student.email, NOBODY):
            guess_from_everywhere(email, 5)
        strange = [sign_in(email, of="203.0.113.1") for email in (student.email, NOBODY)]
        assert body_of(strange[0]) == body_of(strange[1])
        assert {(a.status_code, a["Retry-After"]) for a in strange} == {(429, strange[0]["Retry-After"])}

    def test_costs_the_same_statements(self, student: Any) -> None:
        asked = []
        for email in (student.email, NOBODY):
            sign_in(email)
            with CaptureQueriesContext(connection) as queries:
                sign_in(email, of="203.0.113.7")
            verbs = [q["sql"].split()[0] for q in queries if "signinattempts" in q["sql"]]
            asked.append(verbs)
        assert asked[0] == asked[1] == ["SELECT", "INSERT", "INSERT"]

    def test_is_kept_without_what_was_typed(self, caplog: pytest.LogCaptureFixture) -> None:
        guess(NOBODY, 6)
        row = SignInAttempts.objects.pairs().get()
        assert (row.user, row.failures, len(row.account)) == (None, 5, 64)
        assert "sign-in locked" in caplog.text
        assert "nobody" not in caplog.text


class CountingHasher(MD5PasswordHasher):
    """The hasher of the tests, telling how often a password was checked."""

    checked: ClassVar[int] = 0

    def verify(self, password: str, encoded: str) -> bool:
        CountingHasher.checked += 1
        return super().verify(password, encoded)


def at_once(number: int, work: Callable[[int], Any]) -> list[Any]:
    answers: list[Any] = []
    start = threading.Barrier(number)

    def run(position: int) -> None:
        start.wait(30)
        answers.append(work(position))
        connection.close()

    threads = [threading.Thread(target=run, args=[n]) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_checks_five_of_fifty_and_counts_them(self, student: Any, settings: Any) -> None:
        settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
        CountingHasher.checked = 0
        statuses = [answer.status_code for answer in at_once(50, lambda _: sign_in(student.email))]
        assert (statuses.count(401), statuses.count(429)) == (5, 45)
        assert CountingHasher.checked == 5
        assert SignInAttempts.objects.pairs().get().failures == 5
        assert sign_in(student.email, PASSWORD).status_code == 429

    def test_does_not_lock_who_signs_in_on_five_devices(self, student: Any) -> None:
        answers = at_once(5, lambda _: sign_in(student.email, PASSWORD).status_code)
        assert answers == [200] * 5
        assert SignInAttempts.objects.pairs().get().failures == 0

    def test_counts_every_strange_place_for_the_account(self, student: Any) -> None:
        at_once(9, lambda n: sign_in(student.email, of=f"198.51.100.{n}"))
        assert SignInAttempts.objects.get(place="").failures == 9


@pytest.mark.django_db
class TestEverywhere:
    """An account that is guessed at from many places at once."""

    def test_lets_strange_places_wait_ever_longer_up_to_a_minute(self, student: Any, clock: Any) -> None:
        guess_from_everywhere(student.email, 10)
        waits = []
        for n in range(9):
            answer = sign_in(student.email, of=f"203.0.113.{n}")
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
            waits.append(int(answer["Retry-After"]))
            clock.shift(timedelta(seconds=waits[-1]))
            assert sign_in(student.email, of=f"203.0.113.{n}").status_code == 401
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]

    def test_keeps_the_owner_on_the_road_a_minute_at_most_whatever_others_do(
        self, student: Any, clock: Any
    ) -> None:
        SignInAttempts.objects.create(
            account=services.lockout.account_name(student.email), place="", failures=1_000_000,
            last_at=timezone.now(),
        )  # fmt: skip
        assert sign_in(student.email, PASSWORD, of="203.0.113.1")["Retry-After"] == "60"
        for n in range(5):
            clock.shift(timedelta(seconds=10))
            sign_in(student.email, of=f"198.51.100.{n}")
            assert sign_in(student.email, PASSWORD, of="203.0.113.1").status_code == 429
        clock.shift(timedelta(seconds=10))
        assert sign_in(student.email, PASSWORD, of="203.0.113.1").status_code == 200

    def test_lets_the_owner_in_at_once_from_where_she_was_before(self, student: Any) -> None:
        assert sign_in(student.email, PASSWORD, of="203.0.113.1").status_code == 200
        guess_from_everywhere(student.email, 10)
        assert sign_in(student.email, PASSWORD, of="203.0.113.2").status_code == 429
        assert sign_in(student.email, PASSWORD, of="203.0.113.1").status_code == 200

    def test_lets_a_known_device_in_from_anywhere_and_past_its_neighbours(self, student: Any) -> None:
        device = APIClient()
        assert sign_in(student.email, PASSWORD, client=device).status_code == 200
        guess(student.email, 5)
        assert sign_in(student.email, PASSWORD).status_code == 429
        assert sign_in(student.email, PASSWORD, client=device).status_code == 200
        guess_from_everywhere(student.email, 10)
        assert sign_in(student.email, PASSWORD, of="203.0.113.1", client=device).status_code == 200

    def test_gives_a_known_device_five_guesses_like_anybody(self, student: Any) -> None:
        device = APIClient()
        sign_in(student.email, PASSWORD, client=device)
        statuses = [sign_in(student.email, of=f"203.0.113.{n}", client=device).status_code for n in range(6)]
        assert statuses == [401] * 5 + [429]

    def test_knows_a_device_for_its_own_account_only_and_no_forged_one(
        self, student: Any, stranger: Any
    ) -> None:
        thief = APIClient()
        sign_in(stranger.email, PASSWORD, client=thief)
        guess(student.email, 5)
        assert sign_in(student.email, PASSWORD, client=thief).status_code == 429
        thief.cookies[product.DEVICE_COOKIE_NAME] = "forged:proof:indeed"
        assert sign_in(student.email, PASSWORD, client=thief).status_code == 429

    def test_does_not_grow_by_what_known_places_do(self, student: Any) -> None:
        sign_in(student.email, PASSWORD)
        guess(student.email, 4)
        assert not SignInAttempts.objects.filter(place="").exists()

    def test_is_forgotten_after_an_hour_of_rest(self, student: Any, clock: Any) -> None:
        guess_from_everywhere(student.email, 10)
        clock.shift(timedelta(hours=1))
        assert sign_in(student.email, of="203.0.113.1").status_code == 401


@pytest.mark.django_db
class TestDeviceCookie:
    def test_opens_nothing_and_scripts_cannot_read_it(self, student: Any, settings: Any) -> None:
        settings.SESSION_COOKIE_SECURE = True
        client = APIClient()
        cookie = sign_in(student.email, PASSWORD, client=client).cookies[product.DEVICE_COOKIE_NAME]
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert student.email not in cookie.value
        assert client.get("/api/v1/auth/me").status_code == 401

    def test_is_given_by_the_back_office_too(self, staff: Any, client: Client) -> None:
        form = {"username": staff.email, "password": WRONG}
        assert product.DEVICE_COOKIE_NAME not in client.post("/admin/login/", form).cookies
        answer = client.post("/admin/login/", {**form, "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
        assert (answer.status_code, product.DEVICE_COOKIE_NAME in answer.cookies) == (302, True)
        guess(staff.email, 5)
        assert sign_in(staff.email, PASSWORD).status_code == 429
        client.cookies.pop(product.SESSION_COOKIE_NAME)
        again = client.post("/admin/login/", {**form, "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
        assert again.status_code == 302

    def test_stays_the_same_on_the_same_device(self, student: Any) -> None:
        client = APIClient()
        given = [
            sign_in(student.email, PASSWORD, client=client).cookies[product.DEVICE_COOKIE_NAME].value
            for _ in range(2)
        ]
        assert given[0] == given[1]
