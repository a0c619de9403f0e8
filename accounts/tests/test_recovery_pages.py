"""The pages that lead to a new password and to another address."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import EmailChange, MailRequest, User
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.signing_in import log_in

pytestmark = pytest.mark.django_db
ASK, SET, CONFIRM = "/forgot-password", "/reset-password", "/confirm-email"
NEW = "another fine passphrase"


@pytest.fixture
def token(student: Any) -> str:
    return services.password_reset_token_for(user_id=student.pk)


@pytest.fixture
def change(student: Any) -> str:
    services.request_email_change(
        user_id=student.pk, new_email="new@example.org", current_password=PASSWORD, at=timezone.now()
    )
    return services.email_change_token_for(change_id=EmailChange.objects.get().pk)


def form_of(page: Any) -> dict[str, str]:
    """Return the hidden fields of the page's form, as a browser would send them."""
    return dict(re.findall(r'type="hidden"[^>]*name="(\w+)"[^>]*value="([^"]+)"', page.content.decode()))


def send(client: Client, page: Any, url: str, **typed: str) -> Any:
    return client.post(url, {**form_of(page), **typed})


class TestForgottenPasswordPage:
    def test_takes_down_the_request_and_says_the_same_of_every_address(self, student: Any) -> None:
        client = Client(enforce_csrf_checks=True)
        pages = [
            send(client, client.get(ASK), ASK, email=email) for email in (student.email, "nobody@example.org")
        ]
        assert {page.status_code for page in pages} == {200}
        assert pages[0].content == pages[1].content
        assert MailRequest.objects.count() == 2

    def test_says_what_is_no_address(self, client: Client) -> None:
        page = client.post(ASK, {"email": "no address"})
        assert (page.status_code, "valid email" in page.content.decode()) == (400, True)

    def test_refuses_a_form_from_elsewhere(self) -> None:
        assert Client(enforce_csrf_checks=True).post(ASK, {"email": "a@example.org"}).status_code == 403

    def test_is_linked_where_one_logs_in_to_the_back_office(self, client: Client) -> None:
        assert f'href="{ASK}"' in client.get("/admin/login/").content.decode()


class TestNewPasswordPage:
    def test_uses_nothing_up_by_being_opened(self, client: Client, student: Any, token: str) -> None:
        assert [client.get(SET, {"token": token}).status_code for _ in range(2)] == [200, 200]
        assert User.objects.get(pk=student.pk).check_password(PASSWORD)

    def test_sets_the_password(self, student: Any, token: str) -> None:
        client = Client(enforce_csrf_checks=True)
        page = send(client, client.get(SET, {"token": token}), SET, new_password=NEW, again=NEW)
        assert (page.status_code, "is set" in page.content.decode()) == (200, True)
        assert log_in(student, NEW)

    @pytest.mark.parametrize(
        ("typed", "told"),
        [
            ({"new_password": "password", "again": "password"}, "too common"),
            ({"new_password": "short", "again": "short"}, "at least 8"),
            ({"new_password": NEW, "again": NEW + "x"}, "not the same"),
            ({"new_password": NEW + "\x00", "again": NEW + "\x00"}, "Null characters"),
            ({"new_password": "", "again": ""}, "required"),
        ],
    )
    def test_says_what_is_wrong_and_asks_again(
        self, client: Client, student: Any, token: str, typed: dict[str, str], told: str
    ) -> None:
        page = send(client, client.get(SET, {"token": token}), SET, **typed)
        assert (page.status_code, told in page.content.decode()) == (400, True)
        assert not re.search(r'type="password"[^>]*value=', page.content.decode()), "nothing typed is echoed"
        assert send(client, page, SET, new_password=NEW, again=NEW).status_code == 200

    def test_says_that_a_link_does_not_work(self, client: Client, token: str) -> None:
        with time_machine.travel(timezone.now() + timedelta(hours=2)):
            pages = [client.get(SET, {"token": token}), client.post(SET, {"token": token})]
        pages += [client.get(SET), client.get(SET, {"token": '"><script>'}), client.post(SET, {"token": "x"})]
        assert {page.status_code for page in pages} == {400}
        assert {"This link does not work" in page.content.decode() for page in pages} == {True}
        assert not any("<script" in page.content.decode() for page in pages)

    def test_refuses_a_form_from_elsewhere(self, student: Any, token: str) -> None:
        form = {"token": token, "new_password": NEW, "again": NEW}
        assert Client(enforce_csrf_checks=True).post(SET, form).status_code == 403
        assert User.objects.get(pk=student.pk).check_password(PASSWORD)

    def test_leads_on_those_who_have_business_in_the_back_office(self, client: Client) -> None:
        for role, leads in (("staff", True), ("student", False)):
            token = services.password_reset_token_for(user_id=UserFactory(role=role).pk)
            page = client.post(SET, {"token": token, "new_password": NEW, "again": NEW})
            assert ('href="/admin/"' in page.content.decode()) is leads


class TestConfirmEmailPage:
    def test_changes_nothing_by_being_opened(self, client: Client, student: Any, change: str) -> None:
        assert client.get(CONFIRM, {"token": change}).status_code == 200
        assert User.objects.get(pk=student.pk).email == student.email

    def test_changes_the_address_by_its_button(self, student: Any, change: str) -> None:
        client = Client(enforce_csrf_checks=True)
        page = send(client, client.get(CONFIRM, {"token": change}), CONFIRM)
        assert (page.status_code, "new@example.org" in page.content.decode()) == (200, True)
        assert User.objects.get(pk=student.pk).email == "new@example.org"

    def test_says_that_the_address_was_taken_meanwhile(self, client: Client, change: str) -> None:
        UserFactory(email="new@example.org")
        page = client.post(CONFIRM, {"token": change})
        assert (page.status_code, "has an account already" in page.content.decode()) == (409, True)

    @pytest.mark.parametrize("wrong", ["", "x", "a:b:c"])
    def test_says_that_a_link_does_not_work(self, client: Client, wrong: str) -> None:
        page = client.post(CONFIRM, {"token": wrong})
        assert (page.status_code, "This link does not work" in page.content.decode()) == (400, True)

    def test_refuses_a_form_from_elsewhere(self, student: Any, change: str) -> None:
        assert Client(enforce_csrf_checks=True).post(CONFIRM, {"token": change}).status_code == 403
        assert User.objects.get(pk=student.pk).email == student.email


class TestTokens:
    @pytest.mark.parametrize(("url", "kind"), [(SET, "token"), (CONFIRM, "change")])
    def test_stay_between_the_mail_and_this_page(
        self, client: Client, url: str, kind: str, request: pytest.FixtureRequest, capfd: Any
    ) -> None:
        token = request.getfixturevalue(kind)
        pages = [client.get(url, {"token": token}), client.post(url, {"token": token})]
        assert {page["Cache-Control"] for page in pages} == {"no-store"}
        assert {page["Referrer-Policy"] for page in pages} == {"strict-origin"}
        told = capfd.readouterr()
        assert token not in told.out + told.err
        # Nothing is loaded from elsewhere that could be told where it is loaded from.
        assert not any(re.search(r'(?:src|href)="(?:https?:)?//', page.content.decode()) for page in pages)
