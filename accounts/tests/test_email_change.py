"""Another address: asked for with the password, taken by the link that was mailed to it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services
from accounts.models import EmailChange, Session, User
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.signing_in import ME, bearer, log_in
from accounts.tests.test_recovery import deliver, shapes_of, token_in
from smartcourse.events.models import OutboxFact

pytestmark = pytest.mark.django_db
CHANGE = "/api/v1/auth/email/change"
CONFIRM = f"{CHANGE}/confirm"
NEW = "sofia.new@example.org"


def ask(client: Any, new_email: str = NEW, password: str = PASSWORD) -> Any:
    return client.post(CHANGE, {"new_email": new_email, "current_password": password})


def link_of(user: Any) -> str:
    return services.email_change_token_for(change_id=EmailChange.objects.open().get(user=user).pk)


def recipients() -> list[str]:
    return sorted(letter.to[0].rpartition("<")[2].rstrip(">") for letter in mail.outbox)


class TestAsking:
    def test_mails_a_link_to_the_new_address_and_a_notice_to_the_present_one(
        self, client_of: Any, student: Any, settle: Any
    ) -> None:
        assert ask(client_of(student)).status_code == 202
        deliver(settle)
        assert recipients() == sorted([NEW, student.email])
        by_address = {NEW in letter.to[0]: letter.body for letter in mail.outbox}
        assert "token=" in by_address[True]
        assert "token=" not in by_address[False]
        assert "/forgot-password" in by_address[False]
        assert User.objects.get(pk=student.pk).email == student.email

    def test_tells_neither_address_in_its_facts(self, client_of: Any, student: Any) -> None:
        ask(client_of(student))
        told = str(list(OutboxFact.objects.values()))
        assert NEW not in told
        assert student.email not in told

    def test_is_answered_alike_and_costs_the_same_statements_where_the_address_is_taken(
        self, client_of: Any, student: Any, classmate: Any
    ) -> None:
        client, answers, statements = client_of(student), set(), []
        ask(client, "first@example.org")
        for email in (NEW, classmate.email):
            with CaptureQueriesContext(connection) as captured:
                answer = ask(client, email)
            answers.add((answer.status_code, answer.content))
            statements.append(shapes_of(captured))
        assert len(answers) == 1
        assert statements[0] == statements[1]

    def test_sends_no_link_to_whoever_has_the_address(
        self, client_of: Any, student: Any, classmate: Any, settle: Any
    ) -> None:
        ask(client_of(student), classmate.email)
        deliver(settle)
        assert recipients() == [student.email]

    def test_wants_the_password(self, client_of: Any, anonymous: Any, student: Any) -> None:
        answer = ask(client_of(student), password="wrong password")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "current_password")
        assert ask(anonymous).status_code == 401
        assert not EmailChange.objects.exists()

    def test_counts_wrong_passwords_like_any_other_check_of_them(self, client_of: Any, student: Any) -> None:
        client = client_of(student)
        for _ in range(settings.LOCKOUT_FAILURES):
            ask(client, password="wrong password")
        assert (ask(client).status_code, ask(client).json()["code"]) == (429, "locked_out")

    @pytest.mark.parametrize("email", ["no address", "", None, "a" * 300 + "@example.org"])
    def test_wants_an_address(self, client_of: Any, student: Any, email: Any) -> None:
        answer = client_of(student).post(
            CHANGE, {"new_email": email, "current_password": PASSWORD}, format="json"
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "new_email")

    def test_wants_another_address(self, client_of: Any, student: Any) -> None:
        answer = ask(client_of(student), student.email.upper())
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "new_email")

    def test_is_limited(self, client_of: Any, student: Any) -> None:
        client = client_of(student)
        for number in range(settings.RECOVERY_MAILS_AN_HOUR):
            assert ask(client, f"a{number}@example.org").status_code == 202
        refused = ask(client)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_email_changes")
        assert 3500 < int(refused["Retry-After"]) <= 3600
        with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
            assert ask(client).status_code == 202


class TestConfirming:
    def test_gives_the_address_which_is_the_log_in_from_then_on(
        self, client_of: Any, anonymous: Any, student: Any, settle: Any
    ) -> None:
        User.objects.update(is_verified=False)
        ask(client_of(student), NEW.upper())
        deliver(settle)
        [letter] = [letter for letter in mail.outbox if NEW in letter.to[0]]
        answer = anonymous.post(CONFIRM, {"token": token_in(letter.body)})
        assert (answer.status_code, answer.json()["email"], answer.json()["is_verified"]) == (200, NEW, True)
        student.refresh_from_db()
        assert log_in(student)
        assert OutboxFact.objects.filter(type="user.email_changed", aggregate_id=student.pk).count() == 1

    def test_ends_all_sessions(self, anonymous: Any, student: Any) -> None:
        client = bearer(log_in(student)["access_token"])
        ask(client)
        anonymous.post(CONFIRM, {"token": link_of(student)})
        assert client.get(ME).json()["code"] == "token_revoked"
        assert not Session.objects.filter(revoked_at=None).exists()

    def test_works_once_and_for_a_day(self, client_of: Any, anonymous: Any, student: Any) -> None:
        ask(client_of(student))
        token = link_of(student)
        with time_machine.travel(timezone.now() + settings.EMAIL_CHANGE_LIFETIME + timedelta(minutes=1)):
            assert anonymous.post(CONFIRM, {"token": token}).json()["code"] == "invalid_email_change"
        answers = [anonymous.post(CONFIRM, {"token": token}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 422]

    def test_is_refused_by_a_link_that_a_newer_one_replaced(
        self, client_of: Any, anonymous: Any, student: Any
    ) -> None:
        ask(client_of(student), "typo@example.org")
        first = link_of(student)
        ask(client_of(student))
        assert anonymous.post(CONFIRM, {"token": first}).json()["code"] == "invalid_email_change"
        assert anonymous.post(CONFIRM, {"token": link_of(student)}).json()["email"] == NEW

    def test_mails_no_link_for_a_change_that_was_replaced(
        self, client_of: Any, student: Any, settle: Any
    ) -> None:
        ask(client_of(student), "typo@example.org")
        ask(client_of(student))
        deliver(settle)
        assert recipients() == sorted([NEW, student.email, student.email])

    def test_is_refused_once_the_address_is_taken(self, client_of: Any, anonymous: Any, student: Any) -> None:
        ask(client_of(student))
        UserFactory(email=NEW)
        answer = anonymous.post(CONFIRM, {"token": link_of(student)})
        assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
        assert User.objects.get(pk=student.pk).email == student.email
        assert EmailChange.objects.open().exists()

    @pytest.mark.parametrize("wrong", ["x", "a:b:c", "é", "x" * 500])
    def test_is_refused_by_what_is_no_token(self, anonymous: Any, wrong: str) -> None:
        answer = anonymous.post(CONFIRM, {"token": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_email_change")

    def test_takes_no_token_of_another_kind(self, client_of: Any, anonymous: Any, student: Any) -> None:
        ask(client_of(student))
        for token in (
            services.verification_token_for(user_id=student.pk),
            services.password_reset_token_for(user_id=student.pk),
        ):
            assert anonymous.post(CONFIRM, {"token": token}).status_code == 422

    def test_is_refused_to_a_deactivated_account(
        self, client_of: Any, anonymous: Any, student: Any, administrator: Any
    ) -> None:
        ask(client_of(student))
        token = link_of(student)
        services.deactivate_user(user_id=student.pk, by=administrator, at=timezone.now())
        assert anonymous.post(CONFIRM, {"token": token}).json()["code"] == "invalid_email_change"

    def test_the_notice_goes_to_the_former_address_however_late(
        self, client_of: Any, anonymous: Any, student: Any, settle: Any
    ) -> None:
        former = student.email
        ask(client_of(student))
        settle()
        anonymous.post(CONFIRM, {"token": link_of(student)})
        from notifications.models import Message
        from notifications.services import send_message

        send_message(message_id=Message.objects.get(type="email_change_notice").pk)
        assert recipients() == [former]


class TestRows:
    def test_hold_one_open_change_a_person(self, student: Any) -> None:
        row = {"user": student, "old_email": student.email, "requested_at": timezone.now()}
        EmailChange.objects.create(**row, new_email="a@example.org")
        with (
            pytest.raises(IntegrityError, match="one_open_email_change_per_person"),
            transaction.atomic(),
        ):
            EmailChange.objects.create(**row, new_email="b@example.org")


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_twenty_who_want_one_address_one_gets_it(self) -> None:
        people = [UserFactory() for _ in range(20)]
        now = timezone.now()
        for person in people:
            services.request_email_change(user_id=person.pk, new_email=NEW, current_password=PASSWORD, at=now)
        tokens = [link_of(person) for person in people]
        told = at_once(lambda token: services.confirm_email_change(token=token, at=now), tokens)
        assert sorted(told) == ["EmailTaken"] * 19 + ["User"]
        assert User.objects.filter(email=NEW).count() == 1

    def test_of_twenty_confirmations_of_one_password_reset_one_works(self) -> None:
        person = UserFactory()
        token = services.password_reset_token_for(user_id=person.pk)
        passwords = [f"a fine passphrase, number {number}" for number in range(20)]
        told = at_once(
            lambda new: services.reset_password(token=token, new_password=new, at=timezone.now()), passwords
        )
        assert sorted(told) == ["InvalidReset"] * 19 + ["NoneType"]


def at_once(deed: Any, arguments: list[str]) -> list[str]:
    """Return what each of the deeds came to, by the name of its class."""
    told: list[str] = []
    ready = threading.Barrier(len(arguments), timeout=30)

    def work(argument: str) -> None:
        ready.wait()
        try:
            told.append(type(deed(argument)).__name__)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            told.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return told
