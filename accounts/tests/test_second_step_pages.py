"""The back office after the right password: the second factor, setting one up, and resetting another's."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as product
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import SecondFactor, User
from accounts.tests.factories import PASSWORD
from accounts.tests.second_factors import SECRET, app_of, code_in, code_now, mail_of, set_up_app
from accounts.tests.signing_in import ME
from accounts.tests.test_recovery import deliver

pytestmark = pytest.mark.django_db
LOGIN, STEP, FIRST = "/admin/login/", "/admin/second-step/", "/admin/first-factor/"
PEOPLE = "/admin/accounts/user/"
PAGE_QUERIES = 6


def half_way(client: Client, user: Any, next_page: str = "") -> Any:
    where = f"{LOGIN}?next={next_page}" if next_page else LOGIN
    return client.post(where, {"username": user.email, "password": PASSWORD, "next": next_page})


def give(client: Client, code: str, method: str = "totp") -> Any:
    return client.post(STEP, {"method": method, "code": code})


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


class TestSecondStep:
    def test_stands_before_every_page(self, client: Client, staff: Any) -> None:
        app_of(staff)
        answer = half_way(client, staff, "/admin/accounts/user/")
        assert (answer.status_code, answer["Location"]) == (302, STEP)
        assert product.DEVICE_COOKIE_NAME not in answer.cookies
        for page in ("/admin/", PEOPLE, "/admin/password_change/"):
            assert client.get(page).status_code == 302, page
        shown = client.get(STEP)
        assert (shown.status_code, shown["Cache-Control"]) == (200, "no-store")
        assert User.objects.get(pk=staff.pk).last_login is None
        answer = give(client, code_now())
        assert (answer.status_code, answer["Location"]) == (302, "/admin/accounts/user/")
        assert answer.cookies[product.DEVICE_COOKIE_NAME].value
        assert is_in(client)

    def test_leads_to_no_other_site(self, client: Client, staff: Any) -> None:
        app_of(staff)
        half_way(client, staff, "https://elsewhere.example/")
        assert give(client, code_now())["Location"] == "/admin/"

    def test_refuses_a_wrong_code_and_locks_after_five(self, client: Client, staff: Any) -> None:
        app_of(staff)
        half_way(client, staff)
        for _ in range(product.LOCKOUT_FAILURES):
            answer = give(client, "000000")
            assert (answer.status_code, "wrong" in answer.content.decode()) == (400, True)
        assert give(client, code_now()).status_code == 429
        assert not is_in(client)

    def test_takes_a_code_once_for_both_doors(self, client: Client, staff: Any) -> None:
        app_of(staff)
        code = code_now()
        half_way(client, staff)
        give(client, code)
        other = Client()
        half_way(other, staff)
        assert give(other, code).status_code == 400
        assert not is_in(other)

    def test_takes_a_recovery_code(self, client: Client, staff: Any) -> None:
        _, _, codes = set_up_app(staff)
        half_way(client, staff)
        assert "recovery code" in client.get(f"{STEP}?method=recovery").content.decode()
        assert give(client, codes[0], "recovery").status_code == 302
        assert is_in(client)

    def test_takes_a_mailed_code(self, client: Client, staff: Any, settle: Any) -> None:
        app_of(staff)
        mail_of(staff)
        half_way(client, staff)
        assert "Mail me a code" in client.get(f"{STEP}?method=email").content.decode()
        sent = client.post(STEP, {"mail": "yes"})
        assert 'name="code"' in client.get(sent["Location"]).content.decode()
        assert give(client, code_in(deliver(settle)[-1].body), "email").status_code == 302
        assert is_in(client)

    def test_mails_nothing_to_whom_has_not_switched_it_on(
        self, client: Client, staff: Any, settle: Any
    ) -> None:
        app_of(staff)
        half_way(client, staff)
        assert client.post(STEP, {"mail": "yes"})["Location"] == STEP
        assert deliver(settle) == []

    def test_leads_back_to_the_password_without_one_and_after_five_minutes(
        self, client: Client, staff: Any
    ) -> None:
        app_of(staff)
        assert client.get(STEP)["Location"] == client.get(FIRST)["Location"] == LOGIN
        half_way(client, staff)
        with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
            assert give(client, code_now())["Location"] == LOGIN
        assert not is_in(client)

    def test_wants_a_csrf_token(self, staff: Any) -> None:
        app_of(staff)
        client = Client(enforce_csrf_checks=True)
        client.get(LOGIN)
        token = client.cookies[product.CSRF_COOKIE_NAME].value
        form = {"username": staff.email, "password": PASSWORD, "csrfmiddlewaretoken": token}
        assert client.post(LOGIN, form).status_code == 302
        assert give(client, code_now()).status_code == 403

    def test_begins_another_session(self, client: Client, staff: Any) -> None:
        app_of(staff)
        client.get(LOGIN)
        ids = []
        for act in (lambda: half_way(client, staff), lambda: give(client, code_now())):
            act()
            ids.append(client.cookies[product.SESSION_COOKIE_NAME].value)
        assert len(set(ids)) == 2

    def test_costs_a_page_one_query(
        self, client: Client, staff: Any, django_assert_max_num_queries: Any
    ) -> None:
        app_of(staff)
        half_way(client, staff)
        give(client, code_now())
        with django_assert_max_num_queries(PAGE_QUERIES):
            assert client.get("/admin/password_change/").status_code == 200

    def test_is_asked_of_nobody_where_the_installation_wants_none(
        self, client: Client, staff: Any, settings: Any
    ) -> None:
        app_of(staff)
        settings.MFA_ENABLED = False
        half_way(client, staff)
        assert is_in(client)


class TestSessionsOfBefore:
    def test_end_when_a_second_factor_is_set_up(self, client: Client, staff: Any) -> None:
        half_way(client, staff)
        assert is_in(client)
        app_of(staff)
        assert not is_in(client)

    def test_end_when_it_is_reset_also_once_another_is_set_up(
        self, client: Client, staff: Any, administrator: Any
    ) -> None:
        app_of(staff)
        half_way(client, staff)
        give(client, code_now())
        services.reset_second_factors(user_id=staff.pk, by=administrator, reason="lost", at=timezone.now())
        assert not is_in(client)
        app_of(staff)
        assert not is_in(client)


class TestFirstFactor:
    @pytest.fixture(autouse=True)
    def required(self, settings: Any) -> None:
        settings.MFA_REQUIRED_FOR_STAFF = True

    def test_is_set_up_before_any_page_opens(self, client: Client, staff: Any) -> None:
        assert half_way(client, staff, PEOPLE)["Location"] == FIRST
        assert not is_in(client)
        page = client.get(FIRST)
        assert 'src="data:image/svg+xml' in page.content.decode()
        assert page["Cache-Control"] == "no-store"
        secret = SecondFactor.objects.get().secret
        wrong = client.post(FIRST, {"code": "000000"})
        assert (wrong.status_code, SecondFactor.objects.get().secret) == (400, secret)
        assert not is_in(client)
        assert "Code of the app" in wrong.content.decode()
        answer = client.post(FIRST, {"code": code_now(secret)})
        codes = re.findall(r"<code>([\w-]{19})</code>", answer.content.decode())
        assert (answer.status_code, len(codes), answer["Cache-Control"]) == (200, 10, "no-store")
        assert f'href="{PEOPLE}"' in answer.content.decode()
        assert is_in(client)
        other = Client()
        assert half_way(other, staff)["Location"] == STEP
        assert give(other, codes[0], "recovery").status_code == 302

    def test_is_no_way_round_one_that_there_is(self, client: Client, staff: Any) -> None:
        app_of(staff)
        half_way(client, staff)
        assert client.get(FIRST)["Location"] == STEP
        client.post(FIRST, {"code": code_now()})
        assert not is_in(client)
        assert SecondFactor.objects.get().secret == SECRET

    def test_is_not_one_that_somebody_began_before(self, client: Client, staff: Any) -> None:
        app_of(staff, confirmed=False)
        half_way(client, staff)
        assert client.post(FIRST, {"code": code_now()})["Location"] == FIRST
        client.get(FIRST)
        assert SecondFactor.objects.get().secret != SECRET
        assert not is_in(client)

    def test_closes_sessions_of_before(self, client: Client, staff: Any) -> None:
        client.force_login(staff)
        assert not is_in(client)

    def test_is_not_asked_of_teachers(self, client: Client, instructor: Any) -> None:
        half_way(client, instructor)
        assert is_in(client)


class TestReset:
    def act(self, client: Client, person: Any, **more: str) -> Any:
        form = {"action": "reset_second_factors", "_selected_action": [str(person.pk)], **more}
        return client.post(PEOPLE, form)

    def test_asks_why_and_writes_it_into_the_history(
        self, client: Client, administrator: Any, student: Any
    ) -> None:
        session, secret, _ = set_up_app(student)
        client.force_login(administrator)
        asked = self.act(client, student).content.decode()
        assert (student.email in asked, 'name="reason"' in asked, secret in asked) == (True, True, False)
        assert SecondFactor.objects.exists()
        self.act(client, student, reason="Lost telephone, seen in person")
        assert not SecondFactor.objects.exists()
        assert session.get(ME).status_code == 401
        entry = LogEntry.objects.get()
        assert (entry.user_id, entry.object_id) == (administrator.pk, str(student.pk))
        assert "Lost telephone" in entry.change_message

    def test_is_for_administrators_and_not_for_oneself(
        self, client: Client, staff: Any, administrator: Any, student: Any
    ) -> None:
        app_of(student)
        client.force_login(staff)
        self.act(client, student, reason="why not")
        app_of(administrator)
        half_way(client, administrator)
        give(client, code_now())
        self.act(client, administrator, reason="mine")
        assert SecondFactor.objects.count() == 2

    def test_page_of_a_person_tells_methods_and_no_secret(
        self, client: Client, administrator: Any, student: Any
    ) -> None:
        _, secret, _ = set_up_app(student)
        client.force_login(administrator)
        page = client.get(f"{PEOPLE}{student.pk}/change/").content.decode()
        assert "authenticator app, recovery code" in page
        assert "Reset second factors" in page
        assert secret not in page
