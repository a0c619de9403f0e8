"""Staying signed in and signing out: through the API, with real tokens."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import RefreshToken, Role, Session, User
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.signing_in import ME, bearer, forged, log_in, refresh


@pytest.mark.django_db
class TestAccessToken:
    def test_opens_the_api_with_three_queries(self, student: Any, django_assert_max_num_queries: Any) -> None:
        client = bearer(log_in(student)["access_token"])
        # Whether the cache was told of all that ended, once a second; then, as it knows nothing, session and roles.
        with django_assert_max_num_queries(3):
            assert client.get(ME).json()["id"] == str(student.pk)

    def test_carries_the_session_and_no_role(self, instructor: Any) -> None:
        token = log_in(instructor)["access_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["sid"] == str(Session.objects.get().pk)
        assert "instructor" not in json.dumps(claims)

    def test_expires_after_fifteen_minutes(self, student: Any) -> None:
        token = log_in(student)["access_token"]
        with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1)):
            answer = bearer(token).get(ME)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_ends_with_the_session_on_the_next_request(self, student: Any) -> None:
        client = bearer(log_in(student)["access_token"])
        assert client.post("/api/v1/auth/logout").status_code == 204
        answer = client.get(ME)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")

    def test_ends_with_deactivation_and_with_a_change_of_role(self, student: Any, administrator: Any) -> None:
        client = bearer(log_in(student)["access_token"])
        services.grant_role(user_id=student.pk, role=Role.STAFF, by=administrator)
        assert client.get(ME).json()["code"] == "token_revoked"
        client = bearer(log_in(student)["access_token"])
        services.deactivate_user(user_id=student.pk, by=administrator, at=timezone.now())
        assert client.get(ME).status_code == 401

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": "somebody-else"}, {"iss": "somebody-else"}, {"token_type": "refresh"}, {"sid": "not-a-uuid"},
            {"sub": None}, {"exp": 1},
        ],
    )  # fmt: skip
    def test_is_refused_with_any_claim_changed(self, student: Any, changes: dict[str, Any]) -> None:
        claims = jwt.decode(log_in(student)["access_token"], options={"verify_signature": False}) | changes
        assert bearer(forged(claims)).get(ME).status_code == 401

    def test_is_refused_without_an_expiry(self, student: Any) -> None:
        claims = jwt.decode(log_in(student)["access_token"], options={"verify_signature": False})
        del claims["exp"]
        assert bearer(forged(claims)).get(ME).status_code == 401

    def test_is_refused_unsigned_or_signed_otherwise(self, student: Any) -> None:
        claims = jwt.decode(log_in(student)["access_token"], options={"verify_signature": False})
        unsigned = forged(claims, "", algorithm="none")
        other_key = forged(claims, "k" * 64)
        other_algorithm = forged(claims, algorithm="HS512")
        for token in (unsigned, other_key, other_algorithm, "", "a.b.c", "é", "x" * 9000):
            assert bearer(token).get(ME).status_code == 401, token[:40]

    @pytest.mark.parametrize(
        "kid", ["../../dev/null", "' OR 1=1 --", "0" * 16, "", 7, None, ["a"], {"a": 1}, "x" * 9000]
    )
    def test_is_refused_with_a_key_that_is_not_ours(self, student: Any, kid: Any) -> None:
        token = log_in(student)["access_token"]
        parts = token.split(".")
        header = json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode()
        # Signed as it should be, by our key, under another name.
        signed = b".".join([base64.urlsafe_b64encode(header).rstrip(b"="), parts[1].encode()])
        mac = hmac.digest(settings.JWT_SIGNING_KEY.encode(), signed, "sha256")
        whole = signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")
        assert bearer(whole.decode()).get(ME).json()["code"] == "invalid_token"

    def test_of_a_key_that_was_replaced_lives_on_until_that_is_taken_away(
        self, student: Any, settings: Any
    ) -> None:
        tokens = log_in(student)
        settings.JWT_PREVIOUS_KEYS = [settings.JWT_SIGNING_KEY]
        settings.JWT_SIGNING_KEY = secrets.token_urlsafe(64)
        assert bearer(tokens["access_token"]).get(ME).status_code == 200
        assert refresh(tokens["refresh_token"]).status_code == 200
        settings.JWT_PREVIOUS_KEYS = []
        assert bearer(tokens["access_token"]).get(ME).json()["code"] == "invalid_token"

    @pytest.mark.parametrize(
        "header",
        [b"[" * 3000, b'{"a":' * 1500, b"[]", b"7", b"\xff", b"{}", b'{"alg":null}', b'{"alg":["HS256"]}',
         b'{"alg":"HS256","kid":7}', b'{"alg":"HS256","crit":["x"]}', b'{"alg":"HS256","b64":false}'],
    )  # fmt: skip
    def test_is_refused_with_a_hostile_header(self, db: None, header: bytes) -> None:
        parts = [
            base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, b"{}", b"signature")
        ]
        answer = bearer(".".join(parts)).get(ME)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")

    def test_of_one_person_does_not_open_the_session_of_another(self, student: Any, stranger: Any) -> None:
        log_in(stranger)
        claims = jwt.decode(log_in(student)["access_token"], options={"verify_signature": False})
        claims["sid"] = str(Session.objects.get(user=stranger).pk)
        assert bearer(forged(claims)).get(ME).status_code == 401

    def test_a_gateways_header_is_not_believed(self, student: Any) -> None:
        assert APIClient().get(ME, HTTP_X_USER_ID=str(student.pk)).status_code == 401


@pytest.mark.django_db
class TestRefresh:
    def test_gives_new_tokens_that_work(self, student: Any) -> None:
        answer = refresh(log_in(student)["refresh_token"])
        assert answer.status_code == 200
        assert bearer(answer.json()["access_token"]).get(ME).status_code == 200
        assert refresh(answer.json()["refresh_token"]).status_code == 200

    def test_gives_the_same_successor_within_the_grace(self, student: Any) -> None:
        token = log_in(student)["refresh_token"]
        assert refresh(token).json()["refresh_token"] == refresh(token).json()["refresh_token"]

    def test_gives_the_same_successor_though_the_key_was_replaced_in_between(
        self, student: Any, settings: Any
    ) -> None:
        token = log_in(student)["refresh_token"]
        first = refresh(token).json()["refresh_token"]
        settings.JWT_PREVIOUS_KEYS = [settings.JWT_SIGNING_KEY]
        settings.JWT_SIGNING_KEY = secrets.token_urlsafe(64)
        assert refresh(token).json()["refresh_token"] == first
        assert refresh(first).status_code == 200

    def test_ends_the_session_on_reuse_after_the_grace(self, student: Any) -> None:
        first = log_in(student)["refresh_token"]
        second = refresh(first).json()
        with time_machine.travel(timezone.now() + settings.REFRESH_REUSE_GRACE + timedelta(seconds=1)):
            assert refresh(first).json()["code"] == "token_revoked"
            assert refresh(second["refresh_token"]).json()["code"] == "token_revoked"
            assert bearer(second["access_token"]).get(ME).json()["code"] == "token_revoked"

    def test_gives_no_longer_grace_where_the_clock_was_put_back(self, student: Any) -> None:
        token = log_in(student)["refresh_token"]
        refresh(token)
        with time_machine.travel(timezone.now() - timedelta(hours=1)):
            assert refresh(token).json()["code"] == "token_revoked"

    def test_has_one_successor_by_the_word_of_the_database(self, student: Any) -> None:
        log_in(student)
        only = RefreshToken.objects.get()
        with (
            pytest.raises(IntegrityError, match="one_unused_refresh_token_per_session"),
            transaction.atomic(),
        ):
            RefreshToken.objects.create(session=only.session, digest="0" * 64, expires_at=only.expires_at)

    def test_stores_no_token_in_clear(self, student: Any) -> None:
        token = log_in(student)["refresh_token"]
        successor = refresh(token).json()["refresh_token"]
        stored = " ".join(RefreshToken.objects.values_list("digest", flat=True))
        assert token not in stored
        assert successor not in stored

    @pytest.mark.parametrize("token", ["nonsense", "é", "\x00", "", None, 7, ["a"]])
    def test_refuses_what_is_no_token(self, db: None, token: Any) -> None:
        assert refresh(token).status_code in (400, 401)

    def test_refuses_an_access_token(self, student: Any) -> None:
        assert refresh(log_in(student)["access_token"]).status_code in (400, 401)


@pytest.mark.django_db(transaction=True)
class TestRefreshAtOnce:
    def test_fifty_refreshes_of_one_token_have_one_successor(self, student: Any) -> None:
        token = log_in(student)["refresh_token"]
        answers: list[Any] = []

        def work() -> None:
            answers.append(refresh(token))
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert {a.status_code for a in answers} == {200}
        assert len(answers) == 50
        assert len({a.json()["refresh_token"] for a in answers}) == 1
        assert RefreshToken.objects.filter(used_at=None).count() == 1


@pytest.mark.django_db
class TestSessions:
    def test_lists_ones_own_devices_and_says_which_is_this(self, student: Any, stranger: Any) -> None:
        log_in(stranger)
        log_in(student)
        client = bearer(log_in(student)["access_token"])
        rows = client.get("/api/v1/auth/sessions").json()["results"]
        assert [row["is_current"] for row in rows] == [True, False]

    def test_ends_one_on_another_device(self, student: Any) -> None:
        other, client = log_in(student), bearer(log_in(student)["access_token"])
        ended = Session.objects.order_by("created_at").first()
        assert ended
        assert client.delete(f"/api/v1/auth/sessions/{ended.pk}").status_code == 204
        assert client.delete(f"/api/v1/auth/sessions/{ended.pk}").status_code == 404
        assert bearer(other["access_token"]).get(ME).status_code == 401
        assert client.get(ME).status_code == 200

    def test_hides_those_of_others(self, student: Any, stranger: Any) -> None:
        log_in(student)
        client = bearer(log_in(stranger)["access_token"])
        theirs = Session.objects.get(user=student)
        assert client.delete(f"/api/v1/auth/sessions/{theirs.pk}").status_code == 404
        assert Session.objects.get(user=student).revoked_at is None

    def test_refuses_an_anonymous_caller(self, anonymous: Any, student: Any) -> None:
        log_in(student)
        url = f"/api/v1/auth/sessions/{Session.objects.get().pk}"
        assert [anonymous.get("/api/v1/auth/sessions").status_code, anonymous.delete(url).status_code] == [
            401,
            401,
        ]

    def test_all_end_at_once(self, student: Any) -> None:
        clients = [bearer(log_in(student)["access_token"]) for _ in range(3)]
        assert clients[0].post("/api/v1/auth/logout-all").status_code == 204
        assert {client.get(ME).status_code for client in clients} == {401}

    def test_all_end_at_once_in_the_admin_site_too_and_nobody_elses(
        self, instructor: Any, rival: Any, client_of: Any
    ) -> None:
        browsers = {person: Client() for person in (instructor, rival)}
        for person, browser in browsers.items():
            browser.force_login(person)
        index = reverse("admin:index")
        assert [browser.get(index).status_code for browser in browsers.values()] == [200, 200]
        assert client_of(instructor).post("/api/v1/auth/logout-all").status_code == 204
        assert {p: b.get(index).status_code for p, b in browsers.items()} == {instructor: 302, rival: 200}
        instructor.refresh_from_db()
        browsers[instructor].force_login(instructor)
        assert browsers[instructor].get(index).status_code == 200


@pytest.mark.django_db
class TestPruning:
    def test_takes_what_ended_long_ago_with_its_tokens_and_nothing_else(self, student: Any) -> None:
        revoked, run_out, live = (log_in(student) for _ in range(3))
        now = timezone.now()
        long_ago = now - settings.ENDED_SESSION_KEPT - timedelta(minutes=1)
        sessions = list(Session.objects.order_by("pk"))
        Session.objects.filter(pk=sessions[0].pk).update(revoked_at=long_ago)
        Session.objects.filter(pk=sessions[1].pk).update(expires_at=long_ago)
        assert services.prune_sessions(at=now) == 2
        assert services.prune_sessions(at=now) == 0
        assert RefreshToken.objects.get().session == sessions[2]
        assert bearer(live["access_token"]).get(ME).status_code == 200
        assert [bearer(t["access_token"]).get(ME).status_code for t in (revoked, run_out)] == [401, 401]

    def test_leaves_what_ended_a_moment_ago_to_be_seen(self, student: Any) -> None:
        log_in(student)
        services.end_all_sessions(user_id=student.pk, at=timezone.now())
        assert services.prune_sessions(at=timezone.now()) == 0


@pytest.mark.django_db
class TestPasswordChange:
    URL = "/api/v1/auth/password/change"

    def test_ends_every_other_session(self, student: Any) -> None:
        other, client = bearer(log_in(student)["access_token"]), bearer(log_in(student)["access_token"])
        body = {"current_password": PASSWORD, "new_password": "another fine passphrase"}
        assert client.post(self.URL, body).status_code == 204
        assert client.get(ME).status_code == 200
        assert other.get(ME).status_code == 401
        assert log_in(student, "another fine passphrase")

    def test_wants_the_present_one_and_a_good_new_one(self, student: Any, anonymous: Any) -> None:
        client = bearer(log_in(student)["access_token"])
        wrong = client.post(
            self.URL, {"current_password": "guess", "new_password": "another fine passphrase"}
        )
        weak = client.post(self.URL, {"current_password": PASSWORD, "new_password": "password"})
        assert [wrong.status_code, weak.status_code] == [422, 422]
        assert [wrong.json()["errors"][0]["field"], weak.json()["errors"][0]["field"]] == [
            "current_password", "new_password",
        ]  # fmt: skip
        assert anonymous.post(self.URL, {}).status_code == 401


class TestRefreshSecret:
    def test_a_successor_cannot_be_told_from_its_predecessor_without_the_key(self) -> None:
        from accounts.services.tokens import new_refresh_token, successor_of

        token = new_refresh_token()
        raw = base64.urlsafe_b64decode(successor_of(token) + "=")
        assert len(raw) == 32
        assert successor_of(token) == successor_of(token) != successor_of(new_refresh_token())


def test_people_have_uuid_keys(db: None) -> None:
    assert UUID(str(UserFactory().pk)).version == 7
    assert User.objects.count() == 1
