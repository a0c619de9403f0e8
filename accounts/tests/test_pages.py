"""The page behind the link of the verification mail."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db
URL = "/verify-email"


@pytest.fixture
def newcomer() -> Any:
    return UserFactory(is_verified=False, full_name="Nora Newcomer")


@pytest.fixture
def token(newcomer: Any) -> str:
    return services.verification_token_for(user_id=newcomer.pk)


class TestVerifyEmailPage:
    def test_confirms_nothing_by_being_opened(self, client: Client, newcomer: Any, token: str) -> None:
        page = client.get(URL, {"token": token})
        assert page.status_code == 200
        newcomer.refresh_from_db()
        assert not newcomer.is_verified

    def test_confirms_by_its_button(self, newcomer: Any, token: str) -> None:
        client = Client(enforce_csrf_checks=True)
        page = client.get(URL, {"token": token}).content.decode()
        form = dict(re.findall(r'name="(\w+)" value="([^"]+)"', page))
        answer = client.post(URL, form)
        assert (answer.status_code, "Nora Newcomer" in answer.content.decode()) == (200, True)
        newcomer.refresh_from_db()
        assert newcomer.is_verified

    def test_says_the_same_the_second_time(self, client: Client, token: str) -> None:
        client.post(URL, {"token": token})
        assert client.post(URL, {"token": token}).status_code == 200

    def test_refuses_a_form_from_elsewhere(self, newcomer: Any, token: str) -> None:
        answer = Client(enforce_csrf_checks=True).post(URL, {"token": token})
        assert answer.status_code == 403
        newcomer.refresh_from_db()
        assert not newcomer.is_verified

    @pytest.mark.parametrize("wrong", ["", "wrong", "a:b:c"])
    def test_says_that_a_wrong_link_does_not_work(self, client: Client, wrong: str) -> None:
        answer = client.post(URL, {"token": wrong})
        assert answer.status_code == 400
        assert "This link does not work" in answer.content.decode()

    def test_says_that_an_old_link_does_not_work(self, client: Client, token: str) -> None:
        late = timezone.now() + settings.EMAIL_VERIFICATION_LIFETIME + timedelta(minutes=1)
        with time_machine.travel(late):
            assert client.post(URL, {"token": token}).status_code == 400

    def test_says_that_a_link_without_a_token_does_not_work(self, client: Client) -> None:
        assert "This link does not work" in client.get(URL).content.decode()

    def test_shows_what_stands_in_the_address_as_text(self, client: Client) -> None:
        assert "<script" not in client.get(URL, {"token": '"><script>'}).content.decode()

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_is_kept_by_no_cache_and_told_to_no_other_page(
        self, client: Client, token: str, method: str
    ) -> None:
        page = getattr(client, method)(URL, {"token": token})
        assert page["Cache-Control"] == "no-store"
        assert page["Referrer-Policy"] == "strict-origin"

    def test_leaves_the_token_out_of_the_log(
        self, client: Client, token: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        client.get(URL, {"token": token})
        client.post(URL, {"token": token})
        told = capfd.readouterr()
        assert token not in told.out + told.err
