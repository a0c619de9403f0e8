"""From a right password to a session: by an app, a mailed code or a recovery code, each of which works once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as product
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import MailedCode, Session, SignInChallenge
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.second_factors import (
    MFA,
    SECRET,
    app_of,
    code_in,
    code_now,
    mail_of,
    set_up_app,
    verify,
)
from accounts.tests.signing_in import ME, bearer, log_in
from accounts.tests.test_email_change import at_once
from accounts.tests.test_recovery import deliver
from smartcourse.events.models import OutboxFact

pytestmark = pytest.mark.django_db


def half_way(user: Any) -> str:
    """Give the right password, and return the token of what is waited for."""
    return str(log_in(user)["mfa_token"])


def ask_for_a_mail(token: str) -> Any:
    return APIClient().post(f"{MFA}/mail-code", {"mfa_token": token})


class TestLogIn:
    def test_asks_who_has_an_app_for_more_and_gives_no_token(self, student: Any) -> None:
        app_of(student)
        answer = APIClient().post("/api/v1/auth/login", {"email": student.email, "password": PASSWORD})
        body = answer.json()
        assert (answer.status_code, set(body)) == (200, {"mfa_required", "mfa_token", "methods"})
        assert (body["mfa_required"], body["methods"]) == (True, ["totp"])
        assert answer["Cache-Control"] == "no-store"
        assert "ETag" not in answer
        assert product.DEVICE_COOKIE_NAME not in answer.cookies
        assert not Session.objects.exists()

    def test_does_not_ask_for_an_app_that_was_never_confirmed(self, student: Any) -> None:
        app_of(student, confirmed=False)
        assert "access_token" in log_in(student)

    def test_asks_nobody_where_the_installation_wants_none(self, student: Any, settings: Any) -> None:
        app_of(student)
        token = half_way(student)
        settings.MFA_ENABLED = False
        assert "access_token" in log_in(student)
        for answer in (verify(token, code_now()), ask_for_a_mail(token)):
            assert (answer.status_code, answer.json()["code"]) == (404, "mfa_disabled")

    def test_is_refused_by_the_form_that_knows_no_second_step(self, student: Any) -> None:
        app_of(student)
        form = f"username={student.email}&password=" + PASSWORD.replace(" ", "+")
        kind = "application/x-www-form-urlencoded"
        answer = APIClient().post("/api/v1/auth/token", form, content_type=kind)
        assert (answer.status_code, answer.json()["code"]) == (403, "mfa_required")
        wrong = APIClient().post("/api/v1/auth/token", f"{form}x", content_type=kind)
        assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")


class TestVerify:
    def test_answers_like_a_log_in_and_remembers_the_device(self, student: Any) -> None:
        app_of(student)
        answer = verify(half_way(student), code_now())
        body = answer.json()
        assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
        assert bearer(body["access_token"]).get(ME).json()["email"] == student.email
        assert answer["Cache-Control"] == "no-store"
        assert answer.cookies[product.DEVICE_COOKIE_NAME].value

    def test_gives_browsers_their_tokens_in_cookies(self, student: Any) -> None:
        app_of(student)
        client = APIClient(enforce_csrf_checks=True)
        headers = {"HTTP_X_AUTH_TRANSPORT": "cookie", "HTTP_ORIGIN": "http://testserver"}
        answer = verify(half_way(student), code_now(), client=client, **headers)
        assert (answer.status_code, answer.json()["token_type"]) == (200, "Cookie")
        assert answer.cookies[product.ACCESS_COOKIE_NAME]["httponly"]
        assert client.get(ME).json()["email"] == student.email

    def test_begins_nothing_in_a_browser_for_another_site(self, student: Any) -> None:
        app_of(student)
        token = half_way(student)
        headers = {"HTTP_X_AUTH_TRANSPORT": "cookie", "HTTP_ORIGIN": "https://elsewhere.example"}
        assert verify(token, code_now(), **headers).json()["code"] == "csrf_failed"
        assert verify(token, code_now()).status_code == 200, "nothing was used up"

    def test_takes_a_code_of_a_half_minute_before_or_after_and_no_other(self, student: Any) -> None:
        for steps, status in ((-2, 401), (2, 401), (-1, 200), (1, 200)):
            other = UserFactory()
            app_of(other)
            assert verify(half_way(other), code_now(steps=steps)).status_code == status, steps

    def test_takes_a_code_once_in_any_log_in_and_none_before_it(self, student: Any) -> None:
        app_of(student)
        code = code_now()
        assert verify(half_way(student), code).status_code == 200
        again = verify(half_way(student), code)
        assert (again.status_code, again.json()["code"]) == (401, "wrong_code")
        assert verify(half_way(student), code_now(steps=-1)).status_code == 401
        assert verify(half_way(student), code_now(steps=1)).status_code == 200

    @pytest.mark.parametrize("code", ["000000x", "", " ", "١٢٣٤٥٦", "é", "x" * 40, "x" * 41, None])
    def test_is_refused_by_what_is_no_code(self, student: Any, code: Any) -> None:
        app_of(student)
        token = half_way(student)
        answer = APIClient().post(
            f"{MFA}/verify", {"mfa_token": token, "method": "totp", "code": code}, format="json"
        )
        assert answer.status_code in {400, 401}
        assert not Session.objects.exists()

    @pytest.mark.parametrize("method", ["email", "recovery"])
    def test_takes_no_code_of_a_way_that_the_person_has_not(self, student: Any, method: str) -> None:
        app_of(student)
        assert verify(half_way(student), code_now(), method).status_code == 401

    def test_works_once_for_five_minutes(self, student: Any) -> None:
        app_of(student)
        token = half_way(student)
        with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
            assert verify(token, code_now()).json()["code"] == "invalid_mfa_token"
        assert verify(token, code_now()).status_code == 200
        assert verify(token, code_now(steps=1)).json()["code"] == "invalid_mfa_token"

    def test_is_over_once_the_password_changes_or_the_account_is_closed(
        self, student: Any, classmate: Any, administrator: Any
    ) -> None:
        for person in (student, classmate):
            app_of(person)
        changed, closed = half_way(student), half_way(classmate)
        services.set_password(user_id=student.pk, password="another fine passphrase", at=timezone.now())
        services.deactivate_user(user_id=classmate.pk, by=administrator, at=timezone.now())
        for token in (changed, closed, "x", SECRET):
            assert verify(token, code_now()).json()["code"] == "invalid_mfa_token"

    def test_token_opens_nothing_else(self, student: Any) -> None:
        app_of(student)
        assert bearer(half_way(student)).get(ME).json()["code"] == "invalid_token"

    def test_keeps_neither_token_nor_code_nor_secret(
        self, student: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        _, secret, codes = set_up_app(student)
        token = half_way(student)
        verify(token, codes[0], "recovery")
        rows = str(list(SignInChallenge.objects.values())) + str(list(OutboxFact.objects.values()))
        for hidden in (token, secret, codes[0], codes[0].replace("-", "")):
            assert hidden not in caplog.text
            assert hidden not in rows


class TestRecoveryCode:
    def test_signs_in_once_however_it_is_typed(self, student: Any) -> None:
        _, _, codes = set_up_app(student)
        assert (len(set(codes)), len(codes[0])) == (10, 19)
        typed = codes[3].replace("-", " ").upper()
        assert verify(half_way(student), typed, "recovery").status_code == 200
        assert verify(half_way(student), codes[3], "recovery").status_code == 401
        assert log_in(student)["methods"] == ["totp", "recovery"]

    def test_is_nobody_elses(self, student: Any, classmate: Any) -> None:
        _, _, codes = set_up_app(student)
        set_up_app(classmate)
        assert verify(half_way(classmate), codes[0], "recovery").status_code == 401


class TestMailedCode:
    def test_signs_in_once(self, student: Any, settle: Any) -> None:
        mail_of(student)
        token = half_way(student)
        assert ask_for_a_mail(token).status_code == 202
        [letter] = deliver(settle)
        assert student.email in letter.to[0]
        code = code_in(letter.body)
        assert verify(token, code, "email").status_code == 200
        assert verify(half_way(student), code, "email").status_code == 401

    def test_is_in_no_row_and_no_fact(self, student: Any, settle: Any) -> None:
        from notifications.models import Message

        mail_of(student)
        ask_for_a_mail(half_way(student))
        [letter] = deliver(settle)
        rows = [*Message.objects.values("title", "body", "data"), *OutboxFact.objects.values("payload")]
        assert code_in(letter.body) not in str(rows)

    def test_works_for_ten_minutes(self, student: Any, settle: Any) -> None:
        mail_of(student)
        ask_for_a_mail(half_way(student))
        code = code_in(deliver(settle)[0].body)
        with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1)):
            assert verify(half_way(student), code, "email").status_code == 401
        assert verify(half_way(student), code, "email").status_code == 200

    def test_is_replaced_by_a_newer_one(self, student: Any, settle: Any) -> None:
        mail_of(student)
        token = half_way(student)
        ask_for_a_mail(token)
        first = code_in(deliver(settle)[0].body)
        ask_for_a_mail(token)
        second = code_in(deliver(settle)[-1].body)
        assert verify(token, first, "email").status_code == 401
        assert verify(token, second, "email").status_code == 200

    def test_is_not_mailed_once_it_is_of_no_use(self, student: Any) -> None:
        mail_of(student)
        ask_for_a_mail(half_way(student))
        row = MailedCode.objects.get()
        with pytest.raises(services.NoMailedCode):
            services.mailed_code_for(mailing_id=row.pk, at=row.expires_at)

    def test_is_limited_in_number(self, student: Any) -> None:
        mail_of(student)
        token = half_way(student)
        told = [ask_for_a_mail(token).status_code for _ in range(product.MAILED_CODES_AN_HOUR)]
        refused = ask_for_a_mail(token)
        assert set(told) == {202}
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_mailed_codes")
        assert 3500 < int(refused["Retry-After"]) <= 3600

    def test_is_for_those_who_have_switched_it_on(self, student: Any, settle: Any) -> None:
        app_of(student)
        answer = ask_for_a_mail(half_way(student))
        assert (answer.status_code, answer.json()["code"]) == (422, "no_codes_by_mail")
        assert ask_for_a_mail("x").json()["code"] == "invalid_mfa_token"
        deliver(settle)
        assert mail.outbox == []


class TestGuessing:
    def test_locks_the_second_step_whatever_address_it_comes_from(self, student: Any) -> None:
        app_of(student)
        for number in range(product.LOCKOUT_FAILURES):
            # The right password in between gives no fresh tries.
            wrong = verify(half_way(student), "000000", REMOTE_ADDR=f"198.51.100.{number}")
            assert wrong.status_code == 401
        locked = verify(half_way(student), code_now())
        assert (locked.status_code, locked.json()["code"]) == (429, "locked_out")
        assert int(locked["Retry-After"]) > 800
        with time_machine.travel(timezone.now() + product.LOCKOUT_DURATION + timedelta(seconds=1)):
            assert verify(half_way(student), code_now()).status_code == 200

    def test_by_strangers_locks_nobody(self, student: Any) -> None:
        app_of(student)
        for _ in range(10):
            assert verify("not a token", "000000").status_code == 401
        assert verify(half_way(student), code_now()).status_code == 200


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_twenty_log_ins_by_one_code_one_works(self, settings: Any) -> None:
        settings.LOCKOUT_FAILURES = 50
        student = UserFactory()
        app_of(student)
        tokens, code = [half_way(student) for _ in range(20)], code_now()
        told = at_once(lambda token: complete(token, code), tokens)
        assert sorted(told) == ["SignedInSession"] + ["WrongCode"] * 19
        assert Session.objects.count() == 1

    def test_of_ten_log_ins_by_one_token_one_works(self, settings: Any) -> None:
        settings.LOCKOUT_FAILURES = 50
        student = UserFactory()
        _, _, codes = set_up_app(student)
        token = half_way(student)
        told = at_once(lambda code: complete(token, code, "recovery"), codes)
        assert sorted(told) == ["InvalidMfaToken"] * 9 + ["SignedInSession"]

    def test_of_fifty_wrong_codes_five_are_checked(self) -> None:
        student = UserFactory()
        app_of(student)
        token = half_way(student)
        told = at_once(lambda code: complete(token, code), [f"{number:06}" for number in range(50)])
        assert told.count("WrongCode") <= product.LOCKOUT_FAILURES
        assert told.count("LockedOut") >= 45


def complete(token: str, code: str, method: str = "totp") -> services.SignedInSession:
    from accounts.models import Method

    device = services.Device()
    return services.complete_log_in(
        mfa_token=token, method=Method(method), code=code, device=device, at=timezone.now()
    )


class TestRemains:
    def test_are_deleted_after_a_day(self, student: Any) -> None:
        mail_of(student)
        ask_for_a_mail(half_way(student))
        assert services.prune_sign_in_remains(at=timezone.now()) == 0
        assert services.prune_sign_in_remains(at=timezone.now() + timedelta(days=2)) == 2
