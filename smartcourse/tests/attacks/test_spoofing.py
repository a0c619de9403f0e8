"""Headers that a client writes and only a proxy or a gateway may be believed of: they change nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import MailRequest
from accounts.tests.factories import PASSWORD
from notifications.models import Message
from notifications.services import send_message
from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.matrix import PUBLISHED, Row, ask, rows_of
from smartcourse.tests.world import World

pytestmark = pytest.mark.django_db
FOREIGN = "evil.example"
WANTING_AN_ACCOUNT = [row for row in rows_of(PUBLISHED) if row.statuses["AN"] == 401]


def claims_to_be(user: Any) -> dict[str, str]:
    """Return what a gateway might say of that person, and what frameworks take for another address or method."""
    return {
        "HTTP_X_USER_ID": str(user.pk), "HTTP_X_USER": user.email, "HTTP_X_USER_EMAIL": user.email,
        "HTTP_X_USER_ROLE": "admin", "HTTP_X_ROLE": "admin", "HTTP_X_ROLES": "admin,staff",
        "HTTP_X_AUTHENTICATED_USER": user.email, "HTTP_X_REMOTE_USER": user.email, "HTTP_REMOTE_USER": user.email,
        "HTTP_X_AUTH_REQUEST_EMAIL": user.email, "HTTP_X_FORWARDED_USER": user.email,
        "HTTP_X_FORWARDED_EMAIL": user.email, "HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_REAL_IP": "127.0.0.1",
        "HTTP_X_ORIGINAL_URL": "/api/v1/health", "HTTP_X_REWRITE_URL": "/api/v1/health",
        "HTTP_X_HTTP_METHOD_OVERRIDE": "OPTIONS", "HTTP_X_METHOD_OVERRIDE": "GET",
    }  # fmt: skip


class TestIdentity:
    @pytest.mark.parametrize("row", WANTING_AN_ACCOUNT, ids=str)
    def test_is_not_taken_from_a_header(self, row: Row, world: World, settings: Any) -> None:
        settings.DOCS_ARE_PUBLIC = False
        assert ask(APIClient(**claims_to_be(world.role("AD"))), row, world) == 401

    def test_of_who_is_signed_in_is_not_changed_by_one(self, world: World, client_of: ClientOf) -> None:
        client = client_of(world.people["EN"])
        client.defaults.update(claims_to_be(world.role("AD")))
        assert client.get("/api/v1/auth/me").json()["id"] == world["user_EN"]
        assert client.get("/api/v1/users").status_code == 403

    def test_opens_no_page_of_the_admin(self, world: World) -> None:
        assert Client(**claims_to_be(world.role("AD"))).get("/admin/").status_code == 302


class TestHost:
    @pytest.mark.parametrize(
        "host",
        [FOREIGN, f"testserver@{FOREIGN}", f"testserver.{FOREIGN}", f"{FOREIGN}:443", "testserver:x", "[::1"],
    )
    @pytest.mark.parametrize("path", ["/", "/admin/login/", "/api/v1/courses", "/api/v1/auth/login"])
    def test_that_is_none_of_ours_is_refused(self, host: str, path: str) -> None:
        assert Client(HTTP_HOST=host).get(path).status_code == 400

    def test_of_another_word_than_ours_is_in_no_answer(self, student: Any) -> None:
        told = {
            "HTTP_X_FORWARDED_HOST": FOREIGN,
            "HTTP_X_FORWARDED_SERVER": FOREIGN,
            "HTTP_FORWARDED": f"host={FOREIGN}",
        }
        client = APIClient(**told)
        for path in (
            "/",
            "/admin/",
            "/admin/login/",
            "/api/v1/courses",
            "/api/v1/courses?page=9",
            "/forgot-password",
        ):
            answer = client.get(path)
            assert FOREIGN not in answer.content.decode() + str(answer.headers)

    def test_does_not_get_into_the_links_of_mails(self, student: Any, settle: Any) -> None:
        client = APIClient(
            HTTP_X_FORWARDED_HOST=FOREIGN,
            HTTP_ORIGIN=f"https://{FOREIGN}",
            HTTP_REFERER=f"https://{FOREIGN}/",
        )
        assert client.post("/api/v1/auth/password/reset", {"email": student.email}).status_code == 202
        for asked in MailRequest.objects.unanswered():
            services.answer_mail_request(request_id=asked.pk, at=timezone.now())
        settle()
        for message in Message.objects.filter(channel="mail", status="PENDING"):
            send_message(message_id=message.pk)
        [sent] = mail.outbox
        assert "reset-password?token=" in sent.body
        assert FOREIGN not in str(sent.message())


class TestNext:
    @pytest.mark.parametrize(
        "wanted",
        [
            f"https://{FOREIGN}", f"//{FOREIGN}", f"///{FOREIGN}", f"\\\\{FOREIGN}", f"/\\{FOREIGN}", f"/\t/{FOREIGN}",
            f"https:{FOREIGN}", "javascript:alert(1)", f"http://testserver@{FOREIGN}/", f"https://testserver.{FOREIGN}",
        ],
    )  # fmt: skip
    def test_leads_nobody_away_after_signing_in(self, staff: Any, wanted: str) -> None:
        form = {"username": staff.email, "password": PASSWORD, "next": wanted}
        answer = Client().post("/admin/login/", form)
        assert (answer.status_code, answer["Location"]) == (302, "/admin/")
