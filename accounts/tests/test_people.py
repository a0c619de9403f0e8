"""Registering, and who sees and changes whom."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import services
from accounts.models import Role, User
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.signing_in import log_in
from smartcourse.events.models import OutboxFact

pytestmark = pytest.mark.django_db
REGISTER = "/api/v1/auth/register"
FORM = {"email": "new@example.org", "password": "a fine passphrase, with spaces", "full_name": "Nora New"}


class TestRegister:
    def test_makes_a_student_and_tells_it(self, anonymous: Any) -> None:
        answer = anonymous.post(REGISTER, FORM)
        assert answer.status_code == 201, answer.content
        assert (answer.json()["role"], answer.json()["is_verified"]) == ("student", False)
        assert "password" not in answer.json()
        fact = OutboxFact.objects.get(type="user.registered")
        assert FORM["email"] not in json.dumps(fact.payload)

    @pytest.mark.parametrize("email", [FORM["email"], "NEW@Example.ORG"])
    def test_refuses_an_address_that_is_taken(self, anonymous: Any, email: str) -> None:
        anonymous.post(REGISTER, FORM)
        answer = anonymous.post(REGISTER, {**FORM, "email": email})
        assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
        assert User.objects.count() == 1

    @pytest.mark.parametrize("again", ["nora@xn--fa-hia.example", "Nora@FA\u1e9e.example"])
    def test_knows_a_domain_in_each_of_its_spellings(self, anonymous: Any, again: str) -> None:
        assert anonymous.post(REGISTER, {**FORM, "email": "nora@faß.example"}).status_code == 201
        # As DNS has it now; by the rules of 2003 it would be fass.example, whose mail goes to somebody else.
        assert User.objects.get().email == "nora@xn--fa-hia.example"
        assert anonymous.post(REGISTER, {**FORM, "email": again}).json()["code"] == "duplicate"
        assert User.objects.count() == 1
        assert log_in(User(email="nora@faß.example"), FORM["password"])["access_token"]

    def test_refuses_a_domain_that_there_cannot_be(self, anonymous: Any) -> None:
        answer = anonymous.post(REGISTER, {**FORM, "email": "nora@☃.example"})
        assert answer.status_code == 400
        assert "There can be no such domain." in answer.content.decode()
        assert not User.objects.exists()

    @pytest.mark.parametrize(
        "changes",
        [
            {"role": "admin"}, {"is_staff": True}, {"id": "x"}, {"groups": [1]}, {"is_verified": True},
            {"email": "no address"}, {"email": "a" * 300 + "@example.org"}, {"email": None}, {"email": 7},
            {"password": "short"}, {"password": "p" * 129},
            {"full_name": "N"}, {"full_name": "N" * 256}, {"full_name": "Nul\x00"}, {"full_name": "\ud800x"},
            {"full_name": ["a"]}, {"full_name": {"a": 1}},
        ],
    )  # fmt: skip
    def test_refuses_bad_input_and_writes_nothing(self, anonymous: Any, changes: dict[str, Any]) -> None:
        self.check_refused(anonymous, changes, 400)

    @pytest.mark.parametrize(
        "changes",
        [
            {"password": "password"}, {"password": "1234567890"}, {"full_name": "Ann\nBcc: all@example.org"},
            {"full_name": "Ann\x1b[31m"}, {"full_name": "Ann\u2028Bo"}, {"full_name": "\u202egro.elpmaxe"},
            {"full_name": "\u200b\u200b"}, {"full_name": "42"},
        ],
    )  # fmt: skip
    def test_refuses_weak_passwords_and_what_is_no_name(
        self, anonymous: Any, changes: dict[str, Any]
    ) -> None:
        self.check_refused(anonymous, changes, 422)

    @staticmethod
    def check_refused(anonymous: Any, changes: dict[str, Any], status: int) -> None:
        body = json.dumps({**FORM, **changes})
        answer = anonymous.post(REGISTER, body, content_type="application/json")
        assert answer.status_code == status, answer.content
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["errors"][0]["field"] in changes
        assert not User.objects.exists()
        assert not OutboxFact.objects.exists()

    @pytest.mark.parametrize(
        "name",
        [
            "Łukasz Żółć",
            "Νίκος Παππάς",
            "Nguyễn Thị Hà",
            "فاطمة الزهراء",
            "می\u200cنا",
            "李小龍",
            "O’Neil-Smith 3rd",
        ],
    )
    def test_takes_names_as_the_world_writes_them(self, anonymous: Any, name: str) -> None:
        answer = anonymous.post(REGISTER, {**FORM, "full_name": name})
        assert (answer.status_code, answer.json()["full_name"]) == (201, name)

    def test_keeps_every_character_of_a_long_passphrase(self, anonymous: Any) -> None:
        long = "é" * 60 + "tail"
        anonymous.post(REGISTER, {**FORM, "password": long})
        user = User.objects.get()
        assert user.check_password(long)
        assert not user.check_password("é" * 60 + "tale")


class TestAddressesFromBefore:
    def test_are_spelled_as_they_are_looked_for(self) -> None:
        """By the migration: of two accounts with one address the one that DNS would find keeps it."""
        UserFactory.create_batch(3)
        first, second, third = User.objects.order_by("pk")
        User.objects.filter(pk=first.pk).update(email="nora@faß.example")
        User.objects.filter(pk=second.pk).update(email="both@bücher.example")
        User.objects.filter(pk=third.pk).update(email="both@xn--bcher-kva.example")
        migration = import_module("accounts.migrations.0011_domains_as_dns_has_them")
        migration.spell_as_dns(apps, None)
        assert list(User.objects.order_by("pk").values_list("email", flat=True)) == [
            "nora@xn--fa-hia.example", "both@bücher.example", "both@xn--bcher-kva.example",
        ]  # fmt: skip


class TestVerifyEmail:
    URL = "/api/v1/auth/verify-email"

    def test_proves_the_address_once(self, anonymous: Any) -> None:
        anonymous.post(REGISTER, FORM)
        user = User.objects.get()
        token = services.verification_token_for(user_id=user.pk)
        for _ in range(2):
            assert anonymous.post(self.URL, {"token": token}).json()["is_verified"] is True
        assert OutboxFact.objects.filter(type="user.verified").count() == 1

    def test_refuses_what_is_forged_old_or_for_another_address(self, anonymous: Any) -> None:
        anonymous.post(REGISTER, FORM)
        user = User.objects.get()
        token = services.verification_token_for(user_id=user.pk)
        assert anonymous.post(self.URL, {"token": token[:-2] + "xx"}).status_code == 422
        with time_machine.travel(timezone.now() + timedelta(days=4)):
            assert anonymous.post(self.URL, {"token": token}).json()["code"] == "invalid_verification"
        User.objects.update(email="other@example.org")
        assert anonymous.post(self.URL, {"token": token}).status_code == 422
        assert not User.objects.get().is_verified


class TestMe:
    URL = "/api/v1/auth/me"

    def test_changes_the_name_and_nothing_else(self, student: Any, client_of: Any) -> None:
        client = client_of(student)
        assert client.patch(self.URL, {"full_name": "Sofia Changed"}).json()["full_name"] == "Sofia Changed"
        assert client.patch(self.URL, {}).status_code == 200
        for field, value in {
            "role": "admin",
            "email": "x@example.org",
            "is_staff": True,
            "is_verified": True,
        }.items():
            assert client.patch(self.URL, {field: value}).status_code == 400

    def test_refuses_an_anonymous_caller(self, anonymous: Any) -> None:
        assert [anonymous.get(self.URL).status_code, anonymous.patch(self.URL, {}).status_code] == [401, 401]


class TestUsers:
    def test_shows_others_the_public_profile(
        self, student: Any, stranger: Any, staff: Any, administrator: Any, client_of: Any
    ) -> None:
        url = f"/api/v1/users/{student.pk}"
        assert set(client_of(stranger).get(url).json()) == {"id", "full_name", "role"}
        for who in (student, staff, administrator):
            assert client_of(who).get(url).json()["email"] == student.email
        assert client_of(None).get(url).status_code == 401

    def test_hides_a_deactivated_person_from_all_but_staff(
        self, student: Any, stranger: Any, staff: Any, administrator: Any, client_of: Any
    ) -> None:
        services.deactivate_user(user_id=student.pk, by=administrator, at=timezone.now())
        url = f"/api/v1/users/{student.pk}"
        assert [client_of(stranger).get(url).status_code, client_of(staff).get(url).status_code] == [404, 200]

    def test_is_changed_by_oneself_and_staff(
        self, student: Any, stranger: Any, instructor: Any, staff: Any, client_of: Any
    ) -> None:
        url = f"/api/v1/users/{student.pk}"
        asked = {who: client_of(who).patch(url, {"full_name": "Named Anew"}) for who in (student, staff)}
        assert {a.status_code for a in asked.values()} == {200}
        for who in (stranger, instructor):
            assert client_of(who).patch(url, {"full_name": "Named Anew"}).status_code == 403
            assert client_of(who).put(url, {"full_name": "Named Anew"}).status_code == 403

    def test_are_listed_for_staff(
        self, student: Any, instructor: Any, staff: Any, client_of: Any, django_assert_max_num_queries: Any
    ) -> None:
        client = client_of(staff)
        with django_assert_max_num_queries(3):
            rows = client.get("/api/v1/users").json()["results"]
        assert len(rows) == 3
        [row] = client.get("/api/v1/users", {"role": "instructor"}).json()["results"]
        assert row["id"] == str(instructor.pk)
        [row] = client.get("/api/v1/users", {"search": "sofia"}).json()["results"]
        assert row["id"] == str(student.pk)
        assert client.get("/api/v1/users", {"role": "emperor"}).status_code == 400
        asked = [client_of(who).get("/api/v1/users").status_code for who in (None, student, instructor)]
        assert asked == [401, 403, 403]

    def test_are_deactivated_by_administrators_and_not_by_themselves(
        self, student: Any, staff: Any, administrator: Any, client_of: Any
    ) -> None:
        url = f"/api/v1/users/{student.pk}"
        assert [client_of(who).delete(url).status_code for who in (None, student, staff)] == [401, 403, 403]
        assert [client_of(administrator).delete(url).status_code for _ in range(2)] == [204, 204]
        assert client_of(administrator).delete(f"/api/v1/users/{administrator.pk}").status_code == 403
        assert not User.objects.get(pk=student.pk).is_active


class TestRoles:
    def test_keep_is_staff_in_step(self, student: Any, administrator: Any) -> None:
        user = services.grant_role(user_id=student.pk, role=Role.STAFF, by=administrator)
        assert (user.is_staff, user.role) == (True, Role.STAFF)
        user = services.revoke_role(user_id=student.pk, role=Role.STAFF, by=administrator)
        assert (user.is_staff, user.role) == (False, Role.STUDENT)

    def test_are_told_once(self, student: Any, administrator: Any) -> None:
        for _ in range(2):
            services.grant_role(user_id=student.pk, role=Role.INSTRUCTOR, by=administrator)
        assert OutboxFact.objects.filter(type="user.role_changed").count() == 1

    def test_are_not_ones_own_to_change(self, administrator: Any) -> None:
        with pytest.raises(services.NotOneself):
            services.revoke_role(user_id=administrator.pk, role=Role.ADMIN, by=administrator)


class TestCreateAdmin:
    def test_makes_the_first_administrator(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
        out = io.StringIO()
        call_command("createadmin", "--email", "Boss@example.org", "--name", "Bo Boss", stdout=out)
        assert "boss@example.org is admin now." in out.getvalue()
        assert User.objects.get().has_role(Role.ADMIN)
        assert User.objects.get().check_password(PASSWORD)

    @pytest.mark.parametrize(
        ("email", "name", "wrong"),
        [("no address", "Bo Boss", "valid email"), ("boss@example.org", "Bo\nBoss", "one line")],
    )
    def test_holds_the_words_to_what_the_api_does(self, email: str, name: str, wrong: str) -> None:
        with pytest.raises(CommandError, match=wrong):
            call_command("createadmin", "--email", email, "--name", name)
        assert not User.objects.exists()

    def test_says_what_is_wrong_with_the_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("12345\n"))
        with pytest.raises(CommandError, match="too short"):
            call_command("createadmin", "--email", "boss@example.org", "--name", "Bo Boss")
        assert not User.objects.exists()
