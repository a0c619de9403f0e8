"""Setting second factors up and taking them away, and the installation that wants staff to have one."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as product
from django.db import connection
from django.utils import timezone

from accounts import services
from accounts.models import RecoveryCode, SecondFactor, Session, User
from accounts.tests.factories import PASSWORD
from accounts.tests.second_factors import MFA, SECRET, app_of, code_now, mail_of, set_up_app, verify
from accounts.tests.signing_in import ME, bearer, log_in
from accounts.tests.test_recovery import deliver
from smartcourse.events.models import OutboxFact

pytestmark = pytest.mark.django_db
SHOW_QUERIES = 4
PASSWORDS = {"current_password": PASSWORD}


def facts(kind: str) -> list[dict[str, Any]]:
    return [row.payload for row in OutboxFact.objects.filter(type=kind)]


class TestApp:
    def test_is_set_up_by_secret_uri_and_picture(self, client_of: Any, student: Any) -> None:
        answer = client_of(student).post(f"{MFA}/totp", PASSWORDS)
        body = answer.json()
        uri = urlsplit(body["otpauth_uri"])
        assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
        assert parse_qs(uri.query) == {"secret": [body["secret"]], "issuer": ["SmartCourse"]}
        assert len(base64.b32decode(body["secret"])) == 20, "as RFC 4226 recommends"
        assert body["qr_code"].startswith("data:image/svg+xml")
        assert answer["Cache-Control"] == "no-store"
        assert "ETag" not in answer

    def test_is_encrypted_where_it_is_kept(self, student: Any) -> None:
        _, secret, _ = set_up_app(student)
        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM accounts_secondfactor")
            [(stored,)] = cursor.fetchall()
        assert stored.startswith("v1:")
        assert secret not in stored

    def test_counts_once_a_first_code_was_right(self, client_of: Any, student: Any) -> None:
        client = client_of(student)
        client.post(f"{MFA}/totp", PASSWORDS)
        wrong = client.post(f"{MFA}/totp/confirm", {"code": "000000"})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "code")
        assert "access_token" in log_in(student)
        assert client.get(MFA).json()["methods"] == []

    def test_ends_other_sessions_and_gives_ten_recovery_codes(self, student: Any) -> None:
        other = bearer(log_in(student)["access_token"])
        client, _, codes = set_up_app(student)
        assert len(codes) == product.RECOVERY_CODES
        assert other.get(ME).json()["code"] == "token_revoked"
        shown = client.get(MFA).json()
        assert (shown["methods"], shown["recovery_codes_left"]) == (["totp", "recovery"], 10)
        assert [factor["method"] for factor in shown["factors"]] == ["totp"]
        assert "secret" not in str(shown)

    def test_is_told_to_its_owner_and_as_a_fact(self, student: Any, settle: Any) -> None:
        set_up_app(student)
        assert facts("user.mfa_enabled") == [{"user_id": str(student.pk), "method": "totp"}]
        [letter] = deliver(settle)
        assert (letter.subject, student.email in letter.to[0]) == (
            "An authenticator app was set up for your account",
            True,
        )

    def test_wants_the_password_and_counts_wrong_ones(
        self, client_of: Any, anonymous: Any, student: Any
    ) -> None:
        assert anonymous.post(f"{MFA}/totp", PASSWORDS).status_code == 401
        client = client_of(student)
        wrong = {"current_password": "wrong password"}
        told = [client.post(f"{MFA}/totp", wrong).status_code for _ in range(product.LOCKOUT_FAILURES)]
        assert set(told) == {422}
        assert client.post(f"{MFA}/totp", PASSWORDS).json()["code"] == "locked_out"
        assert not SecondFactor.objects.exists()

    def test_is_begun_anew_with_another_secret_until_it_is_confirmed(
        self, client_of: Any, student: Any
    ) -> None:
        client = client_of(student)
        first, second = (client.post(f"{MFA}/totp", PASSWORDS).json()["secret"] for _ in range(2))
        assert client.post(f"{MFA}/totp/confirm", {"code": code_now(first)}).status_code == 422
        assert client.post(f"{MFA}/totp/confirm", {"code": code_now(second)}).status_code == 200
        for path, body in (("totp", PASSWORDS), ("totp/confirm", {"code": code_now(second)})):
            assert client.post(f"{MFA}/{path}", body).status_code == 409, path

    def test_first_code_does_not_sign_in_as_well(self, student: Any) -> None:
        _, secret, _ = set_up_app(student)
        token = log_in(student)["mfa_token"]
        assert verify(token, code_now(secret)).status_code == 401
        assert verify(token, code_now(secret, steps=1)).status_code == 200

    def test_is_locked_after_five_wrong_first_codes(self, client_of: Any, student: Any) -> None:
        app_of(student, confirmed=False)
        client = client_of(student)
        told = [
            client.post(f"{MFA}/totp/confirm", {"code": "000000"}).status_code
            for _ in range(product.LOCKOUT_FAILURES)
        ]
        assert set(told) == {422}
        assert client.post(f"{MFA}/totp/confirm", {"code": code_now()}).status_code == 429


class TestCodesByMail:
    def test_are_switched_on_by_the_password(self, student: Any) -> None:
        other, client = (bearer(log_in(student)["access_token"]) for _ in range(2))
        assert client.post(f"{MFA}/email", {"current_password": "wrong password"}).status_code == 422
        answer = client.post(f"{MFA}/email", PASSWORDS)
        assert (answer.status_code, answer.json()["methods"]) == (200, ["email"])
        assert client.post(f"{MFA}/email", PASSWORDS).json()["code"] == "factor_exists"
        assert (client.get(ME).status_code, other.get(ME).status_code) == (200, 401)
        assert log_in(student)["methods"] == ["email"]

    def test_go_to_no_address_that_was_not_confirmed(self, client_of: Any, student: Any) -> None:
        User.objects.update(is_verified=False)
        answer = client_of(student).post(f"{MFA}/email", PASSWORDS)
        assert (answer.status_code, answer.json()["code"]) == (422, "email_not_verified")


class TestRemoving:
    def test_takes_the_recovery_codes_along_with_the_last_one(
        self, client_of: Any, student: Any, settle: Any
    ) -> None:
        set_up_app(student)
        mail_of(student)
        client = client_of(student)
        for method, left in (("totp", 10), ("email", 0)):
            answer = client.post(f"{MFA}/remove", {"method": method, **PASSWORDS})
            assert (answer.status_code, RecoveryCode.objects.count()) == (204, left)
        assert client.post(f"{MFA}/remove", {"method": "totp", **PASSWORDS}).status_code == 404
        assert "access_token" in log_in(student)
        assert {fact["method"] for fact in facts("user.mfa_disabled")} == {"totp", "email"}
        subjects = {letter.subject for letter in deliver(settle)}
        assert "The authenticator app of your account was removed" in subjects

    def test_wants_the_password(self, client_of: Any, anonymous: Any, student: Any) -> None:
        app_of(student)
        wrong = {"method": "totp", "current_password": "wrong password"}
        assert client_of(student).post(f"{MFA}/remove", wrong).status_code == 422
        assert anonymous.post(f"{MFA}/remove", wrong).status_code == 401
        assert "mfa_token" in log_in(student)


class TestRecoveryCodes:
    def test_are_renewed_by_the_password(self, client_of: Any, student: Any) -> None:
        _, _, former = set_up_app(student)
        client = client_of(student)
        assert client.post(f"{MFA}/recovery-codes", {"current_password": "wrong one"}).status_code == 422
        answer = client.post(f"{MFA}/recovery-codes", PASSWORDS)
        codes = answer.json()["recovery_codes"]
        assert answer["Cache-Control"] == "no-store"
        token = log_in(student)["mfa_token"]
        assert verify(token, former[0], "recovery").status_code == 401
        assert verify(token, codes[0], "recovery").status_code == 200

    def test_stand_in_for_something(self, client_of: Any, student: Any) -> None:
        answer = client_of(student).post(f"{MFA}/recovery-codes", PASSWORDS)
        assert (answer.status_code, answer.json()["code"]) == (422, "no_second_factor")

    def test_are_kept_as_hashes(self, student: Any) -> None:
        _, _, codes = set_up_app(student)
        assert not {code.replace("-", "") for code in codes} & set(
            RecoveryCode.objects.values_list("digest", flat=True)
        )


class TestShowing:
    def test_costs_four_queries_beside_the_session(
        self, client_of: Any, student: Any, django_assert_num_queries: Any
    ) -> None:
        set_up_app(student)
        client = client_of(student)
        with django_assert_num_queries(SHOW_QUERIES):
            client.get(MFA)

    def test_is_not_there_where_the_installation_wants_none(
        self, client_of: Any, student: Any, settings: Any
    ) -> None:
        settings.MFA_ENABLED = False
        client = client_of(student)
        bodies = {
            "totp": PASSWORDS,
            "totp/confirm": {"code": "000000"},
            "email": PASSWORDS,
            "remove": {"method": "totp", **PASSWORDS},
            "recovery-codes": PASSWORDS,
        }
        told = [client.get(MFA)] + [client.post(f"{MFA}/{path}", body) for path, body in bodies.items()]
        assert {(answer.status_code, answer.json()["code"]) for answer in told} == {(404, "mfa_disabled")}


class TestReset:
    def test_takes_everything_away_and_ends_the_sessions(
        self, student: Any, administrator: Any, settle: Any
    ) -> None:
        client, _, _ = set_up_app(student)
        waiting = log_in(student)["mfa_token"]
        now = timezone.now()
        services.reset_second_factors(user_id=student.pk, by=administrator, reason="lost", at=now)
        assert client.get(ME).json()["code"] == "token_revoked"
        assert verify(waiting, code_now()).json()["code"] == "invalid_mfa_token"
        assert not SecondFactor.objects.exists()
        assert not RecoveryCode.objects.exists()
        assert facts("user.mfa_disabled")[0]["by_staff"] is True
        assert any("Those who run this place" in letter.body for letter in deliver(settle))
        with pytest.raises(services.NoSuchFactor):
            services.reset_second_factors(user_id=student.pk, by=administrator, reason="again", at=now)

    def test_is_not_for_oneself(self, administrator: Any) -> None:
        app_of(administrator)
        with pytest.raises(services.NotOneself):
            services.reset_second_factors(
                user_id=administrator.pk, by=administrator, reason="lost", at=timezone.now()
            )


class TestRequiredForStaff:
    @pytest.fixture(autouse=True)
    def required(self, settings: Any) -> None:
        settings.MFA_REQUIRED_FOR_STAFF = True

    def test_opens_nothing_but_setting_one_up(self, staff: Any) -> None:
        client = bearer(log_in(staff)["access_token"])
        for path in (
            "users",
            "courses",
            "categories",
            "analytics/platform",
            "auth/api-keys",
            f"users/{staff.pk}",
        ):
            answer = client.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.json()["code"]) == (403, "mfa_enrollment_required"), path
        assert client.patch(ME, {"full_name": "Another"}).json()["code"] == "mfa_enrollment_required"
        for path in ("auth/me", "auth/sessions", "auth/mfa"):
            assert client.get(f"/api/v1/{path}").status_code == 200, path
        assert client.get(MFA).json()["is_required"] is True
        assert client.post("/api/v1/auth/logout").status_code == 204

    def test_opens_everything_once_it_is_set_up(self, staff: Any) -> None:
        client, _, _ = set_up_app(staff)
        assert client.get("/api/v1/users").status_code == 200

    def test_closes_the_schema_too_where_it_is_for_staff(self, staff: Any, settings: Any) -> None:
        settings.DOCS_ARE_PUBLIC = False
        client = bearer(log_in(staff)["access_token"])
        assert client.get("/api/v1/schema").json()["code"] == "mfa_enrollment_required"

    def test_holds_for_keys_as_well(self, staff: Any) -> None:
        now = timezone.now()
        made = services.create_api_key(
            user_id=staff.pk, name="Sync", scopes=["users:read"], expires_at=now + timedelta(days=1), at=now
        )
        assert bearer(made.key).get("/api/v1/users").json()["code"] == "mfa_enrollment_required"

    def test_leaves_everybody_else_alone(self, student: Any, instructor: Any) -> None:
        for person in (student, instructor):
            client = bearer(log_in(person)["access_token"])
            assert client.get("/api/v1/enrollments/my-courses").status_code == 200

    def test_leaves_staff_alone_where_there_are_no_second_factors(self, staff: Any, settings: Any) -> None:
        settings.MFA_ENABLED = False
        assert bearer(log_in(staff)["access_token"]).get("/api/v1/users").status_code == 200


class TestSecret:
    def test_is_unreadable_in_another_row(self, student: Any, classmate: Any) -> None:
        mine, other = app_of(student), app_of(classmate)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_secondfactor SET secret = (SELECT secret FROM accounts_secondfactor WHERE id = %s)"
                " WHERE id = %s",
                [mine.pk, other.pk],
            )
        assert SecondFactor.objects.get(pk=mine.pk).secret == SECRET
        with pytest.raises(Exception, match="sealed for another place"):
            _ = SecondFactor.objects.get(pk=other.pk).secret
        assert not Session.objects.exists()
