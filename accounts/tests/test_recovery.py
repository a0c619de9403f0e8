"""Getting back in: a new password by mail, told to nobody but whose mail it is."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services
from accounts.models import ApiKey, EmailChange, MailRequest, Session, User
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.signing_in import ME, bearer, log_in
from notifications.models import Message
from notifications.services import send_message
from smartcourse.events.models import OutboxFact

pytestmark = pytest.mark.django_db
RESET = "/api/v1/auth/password/reset"
CONFIRM = f"{RESET}/confirm"
RESEND = "/api/v1/auth/verify-email/resend"
NEW = "another fine passphrase"


def answer_all() -> list[bool]:
    """Do the work of the worker."""
    waiting = list(MailRequest.objects.unanswered().values_list("pk", flat=True))
    return [services.answer_mail_request(request_id=pk, at=timezone.now()) for pk in waiting]


def deliver(settle: Any) -> list[Any]:
    """Do the work of everybody behind the request, and return the mails."""
    answer_all()
    settle()
    for message in Message.objects.filter(channel="mail", status="PENDING"):
        assert send_message(message_id=message.pk), Message.objects.get(pk=message.pk).last_error
    return list(mail.outbox)


def shapes_of(captured: CaptureQueriesContext) -> list[str]:
    """Return the statements without what was put into them."""
    told = [query["sql"] for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]]
    return [re.sub(r"'[^']*'|\b\d+\b", "?", sql) for sql in told]


def token_in(body: str) -> str:
    found = re.search(r"token=([\w%:.-]+)", body)
    assert found
    return unquote(found[1])


@pytest.fixture
def token(student: Any) -> str:
    return services.password_reset_token_for(user_id=student.pk)


def confirm(client: Any, token: str, password: str = NEW) -> Any:
    return client.post(CONFIRM, {"token": token, "new_password": password})


@pytest.fixture
def addresses(student: Any, administrator: Any) -> dict[str, str]:
    """What an address may be like; nobody may learn by asking which it is."""
    closed, without = UserFactory(email="closed@example.org"), UserFactory(email="without@example.org")
    services.deactivate_user(user_id=closed.pk, by=administrator, at=timezone.now())
    User.objects.filter(pk=without.pk).update(password="!unusable")
    return {
        "known": student.email, "unknown": "nobody@example.org", "closed": closed.email, "without": without.email,
        "administrator": administrator.email,
    }  # fmt: skip


class TestAskingForAMail:
    @pytest.mark.parametrize("url", [RESET, RESEND])
    def test_is_answered_alike_and_costs_the_same_statements_for_every_address(
        self, anonymous: Any, addresses: dict[str, str], url: str
    ) -> None:
        answers, statements = set(), []
        for email in addresses.values():
            with CaptureQueriesContext(connection) as captured:
                answer = anonymous.post(url, {"email": email})
            told = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
            answers.add((answer.status_code, answer.content, str(told)))
            statements.append(shapes_of(captured))
        assert len(answers) == 1
        assert answers.pop()[0] == 202
        assert all(made == statements[0] for made in statements)
        assert [sql.split(" (")[0] for sql in statements[0]] == ['INSERT INTO "accounts_mailrequest"'], (
            "and none looks for an account"
        )

    @pytest.mark.parametrize("url", [RESET, RESEND])
    def test_does_all_the_rest_in_a_worker(
        self, anonymous: Any, student: Any, url: str, django_capture_on_commit_callbacks: Any, settings: Any
    ) -> None:
        settings.TASKS_INLINE = True
        User.objects.update(is_verified=False)
        with django_capture_on_commit_callbacks(execute=True):
            anonymous.post(url, {"email": student.email})
            assert not OutboxFact.objects.exists()
        assert OutboxFact.objects.filter(type__startswith="user.").count() == 1

    def test_makes_a_mail_for_an_open_account_alone(
        self, anonymous: Any, addresses: dict[str, str], settle: Any
    ) -> None:
        for email in addresses.values():
            anonymous.post(RESET, {"email": email.upper()})
        told = {letter.to[0].rpartition("<")[2].rstrip(">") for letter in deliver(settle)}
        assert told == {addresses["known"], addresses["without"], addresses["administrator"]}

    def test_keeps_no_address_that_was_looked_at(self, anonymous: Any, student: Any) -> None:
        for email in (student.email, "nobody@example.org"):
            anonymous.post(RESET, {"email": email})
        answer_all()
        assert set(MailRequest.objects.values_list("email", flat=True)) == {""}

    def test_is_answered_once(self, anonymous: Any, student: Any) -> None:
        anonymous.post(RESET, {"email": student.email})
        asked = MailRequest.objects.get()
        told = [services.answer_mail_request(request_id=asked.pk, at=timezone.now()) for _ in range(2)]
        assert told == [True, False]

    @pytest.mark.parametrize("url", [RESET, RESEND])
    def test_makes_no_more_mails_than_somebody_can_bear(self, anonymous: Any, student: Any, url: str) -> None:
        User.objects.update(is_verified=False)
        for _ in range(settings.RECOVERY_MAILS_AN_HOUR + 2):
            assert anonymous.post(url, {"email": student.email}).status_code == 202
        assert answer_all() == [True] * settings.RECOVERY_MAILS_AN_HOUR + [False] * 2
        with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
            anonymous.post(url, {"email": student.email})
            assert answer_all() == [True]

    def test_is_found_by_the_sweeper_where_its_message_was_lost(self, anonymous: Any, student: Any) -> None:
        anonymous.post(RESET, {"email": student.email})
        now = timezone.now()
        assert services.sweep_mail_requests(at=now) == 0, "a worker may just be at it"
        late = now + settings.MAIL_REQUEST_PATIENCE + timedelta(seconds=1)
        assert [services.sweep_mail_requests(at=late) for _ in range(2)] == [1, 0]
        assert OutboxFact.objects.filter(type="user.password_reset_requested").count() == 1
        services.sweep_mail_requests(at=now + settings.MAIL_REQUESTS_KEPT + timedelta(minutes=1))
        assert not MailRequest.objects.exists()

    @pytest.mark.parametrize(
        "body", [{}, {"email": "no address"}, {"email": None}, {"email": "a@example.org", "x": 1}]
    )
    def test_takes_addresses_and_nothing_else(self, anonymous: Any, body: dict[str, Any]) -> None:
        for url in (RESET, RESEND):
            assert anonymous.post(url, body).status_code == 400
        assert not MailRequest.objects.exists()

    def test_sends_the_verification_to_whom_it_still_awaits(
        self, anonymous: Any, student: Any, settle: Any
    ) -> None:
        newcomer = UserFactory(is_verified=False)
        for email in (student.email, newcomer.email):
            anonymous.post(RESEND, {"email": email})
        [letter] = deliver(settle)
        assert newcomer.email in letter.to[0]
        answer = anonymous.post("/api/v1/auth/verify-email", {"token": token_in(letter.body)})
        assert answer.json()["is_verified"] is True


class TestPasswordReset:
    def test_works_from_the_request_to_the_log_in(self, anonymous: Any, student: Any, settle: Any) -> None:
        anonymous.post(RESET, {"email": student.email})
        [letter] = deliver(settle)
        assert student.email in letter.to[0]
        assert confirm(anonymous, token_in(letter.body)).status_code == 204
        assert log_in(student, NEW)

    def test_keeps_the_token_out_of_facts_and_messages(
        self, anonymous: Any, student: Any, settle: Any
    ) -> None:
        anonymous.post(RESET, {"email": student.email})
        [letter] = deliver(settle)
        token = token_in(letter.body)
        kept = [str(list(rows.values())) for rows in (OutboxFact.objects.all(), Message.objects.all())]
        assert not any(token in text for text in kept)

    def test_ends_every_session_and_key_and_lock(self, anonymous: Any, student: Any, token: str) -> None:
        client = bearer(log_in(student)["access_token"])
        services.create_api_key(
            user_id=student.pk, name="Sync", scopes=["courses:read"], at=timezone.now(),
            expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
        for _ in range(settings.LOCKOUT_FAILURES):
            anonymous.post("/api/v1/auth/login", {"email": student.email, "password": "wrong password"})
        assert confirm(anonymous, token).status_code == 204
        assert client.get(ME).json()["code"] == "token_revoked"
        assert not ApiKey.objects.kept().exists()
        assert log_in(student, NEW)

    def test_ends_a_change_of_address_that_a_thief_may_have_asked_for(
        self, anonymous: Any, student: Any, token: str
    ) -> None:
        services.request_email_change(
            user_id=student.pk, new_email="thief@example.org", current_password=PASSWORD, at=timezone.now()
        )
        link = services.email_change_token_for(change_id=EmailChange.objects.get().pk)
        assert confirm(anonymous, token).status_code == 204
        with pytest.raises(services.InvalidEmailChange):
            services.confirm_email_change(token=link, at=timezone.now())

    def test_works_once(self, anonymous: Any, token: str) -> None:
        answers = [confirm(anonymous, token, password) for password in (NEW, "a third fine passphrase")]
        assert [answer.status_code for answer in answers] == [204, 422]
        assert answers[1].json()["code"] == "invalid_reset"

    def test_begins_no_session(self, anonymous: Any, token: str) -> None:
        assert confirm(anonymous, token).content == b""
        assert not Session.objects.exists()

    def test_outlives_a_log_in_which_whoever_knows_the_former_password_can_do(
        self, anonymous: Any, student: Any, token: str
    ) -> None:
        log_in(student)
        assert confirm(anonymous, token).status_code == 204

    def test_works_for_an_hour(self, anonymous: Any, token: str) -> None:
        with time_machine.travel(timezone.now() + timedelta(minutes=61)):
            assert confirm(anonymous, token).json()["code"] == "invalid_reset"
        with time_machine.travel(timezone.now() + timedelta(minutes=59)):
            assert confirm(anonymous, token).status_code == 204

    def test_says_one_thing_of_every_bad_token(
        self, anonymous: Any, student: Any, stranger: Any, administrator: Any, token: str
    ) -> None:
        theirs = services.password_reset_token_for(user_id=stranger.pk)
        services.deactivate_user(user_id=stranger.pk, by=administrator, at=timezone.now())
        owner, _, rest = token.partition("-")
        swapped = f"{stranger.pk.hex}-{rest}"
        nobody = f"{'0' * 32}-{rest}"
        bad = ["x", "-", "a-b-c", owner, f"{token}x", token[:-1], theirs, swapped, nobody, "é-1-2", "z" * 200]
        told = {
            (
                answer.status_code,
                answer.json()["code"],
                answer.json()["detail"],
                str(answer.json().get("errors")),
            )
            for answer in (confirm(anonymous, wrong) for wrong in bad)
        }
        assert told == {(422, "invalid_reset", services.InvalidReset.message, "None")}
        assert User.objects.get(pk=student.pk).check_password(PASSWORD)

    def test_ends_with_a_change_of_address_or_password(
        self, anonymous: Any, student: Any, token: str
    ) -> None:
        User.objects.filter(pk=student.pk).update(email="moved@example.org")
        assert confirm(anonymous, token).status_code == 422
        fresh = services.password_reset_token_for(user_id=student.pk)
        services.set_password(user_id=student.pk, password=NEW, at=timezone.now())
        assert confirm(anonymous, fresh).status_code == 422

    @pytest.mark.parametrize("weak", ["password", "1234567890", "short", "Sofia Student"])
    def test_points_to_a_password_that_is_too_weak_and_leaves_the_token_good(
        self, anonymous: Any, token: str, weak: str
    ) -> None:
        answer = confirm(anonymous, token, weak)
        assert answer.status_code == (400 if weak == "short" else 422)
        assert {row["field"] for row in answer.json()["errors"]} == {"new_password"}
        assert confirm(anonymous, token).status_code == 204

    def test_does_not_mind_an_old_token_sent_along(self, token: str) -> None:
        assert confirm(bearer("of.old.times"), token).status_code == 204
