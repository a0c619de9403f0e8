"""Keys by which software speaks for a person: what they open, and when they end."""

from __future__ import annotations

import re
import zlib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as product
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis import Redis
from rest_framework.test import APIClient

from accounts import services
from accounts.models import ApiKey, ApiKeyScope, Role
from accounts.services.api_keys import ALPHABET, KEYS_EACH, checksum_of, new_api_key
from accounts.tests.signing_in import ME, bearer, log_in
from smartcourse.observability.redaction import redact_text

pytestmark = pytest.mark.django_db
URL = "/api/v1/auth/api-keys"
MINE = "/api/v1/enrollments/my-courses"


def wish(**changes: Any) -> dict[str, Any]:
    ends = (timezone.now() + timedelta(days=30)).isoformat()
    return {"name": "Nightly sync", "scopes": ["enrollments:read"], "expires_at": ends, **changes}


def made_for(user: Any, *scopes: str, days: float = 30) -> services.MadeApiKey:
    return services.create_api_key(
        user_id=user.pk,
        name="Sync",
        scopes=scopes or ApiKeyScope.values,
        expires_at=timezone.now() + timedelta(days=days),
        at=timezone.now(),
    )


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestMaking:
    def test_tells_the_key_once(self, student: Any, client_of: Any) -> None:
        answer = client_of(student).post(URL, wish())
        assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
        told = answer.json()
        key = told.pop("key")
        [listed] = client_of(student).get(URL).json()["results"]
        assert listed == told
        assert set(told) == {"id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at"}
        assert key.startswith(f"sc_{told['prefix']}_")
        row = ApiKey.objects.get()
        assert key not in "".join(str(value) for value in vars(row).values())
        assert bearer(key).get(MINE).status_code == 200

    def test_is_known_to_scanners_by_its_form_and_checksum(self) -> None:
        key = new_api_key()
        assert re.fullmatch(r"sc_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}", key)
        number = 0
        for letter in key[-6:]:
            number = number * 62 + ALPHABET.index(letter)
        assert number == zlib.crc32(key[:-6].encode())

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": ""}, "name"), ({"name": "x" * 101}, "name"), ({"scopes": []}, "scopes"),
            ({"scopes": ["accounts:write"]}, "scopes.0"), ({"scopes": "courses:read"}, "scopes"),
            ({"expires_at": None}, "expires_at"), ({"user": "x"}, "user"), ({"digest": "x"}, "digest"),
        ],
    )  # fmt: skip
    def test_refuses_what_is_wrong(
        self, student: Any, client_of: Any, changes: dict[str, Any], field: str
    ) -> None:
        answer = client_of(student).post(URL, wish(**changes))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)

    @pytest.mark.parametrize("moment", ["2020-01-01T00:00:00Z", "9999-01-01T00:00:00Z"])
    def test_ends_within_a_year(self, student: Any, client_of: Any, moment: str) -> None:
        answer = client_of(student).post(URL, wish(expires_at=moment))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "expires_at")

    def test_wants_an_end(self, student: Any, client_of: Any) -> None:
        body = wish()
        del body["expires_at"]
        assert client_of(student).post(URL, body).status_code == 400

    def test_ends_at_twenty_a_person(self, student: Any, stranger: Any, client_of: Any) -> None:
        for _ in range(KEYS_EACH):
            made_for(student)
        assert code_of(client_of(student).post(URL, wish())) == (422, "too_many_api_keys")
        services.revoke_api_key(key_id=ApiKey.objects.first().pk, at=timezone.now())
        assert client_of(student).post(URL, wish()).status_code == 201
        assert client_of(stranger).post(URL, wish()).status_code == 201

    @pytest.mark.parametrize(
        "changes", [{"scopes": []}, {"expires_at": timezone.now() + timedelta(days=400)}]
    )
    def test_is_held_by_the_database(self, student: Any, changes: dict[str, Any]) -> None:
        key = made_for(student).row
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiKey.objects.filter(pk=key.pk).update(**changes)

    def test_is_for_who_is_signed_in(self, anonymous: Any) -> None:
        assert {anonymous.post(URL, wish()).status_code, anonymous.get(URL).status_code} == {401}


class TestUse:
    def test_speaks_for_its_owner_where_its_scopes_say(self, student: Any) -> None:
        client = bearer(made_for(student, "enrollments:read").key)
        assert client.get(MINE).status_code == 200
        refused = client.post("/api/v1/enrollments", {})
        assert code_of(refused) == (403, "insufficient_permissions")
        assert refused.json()["scope"] == "enrollments:write"
        assert client.get("/api/v1/courses").json()["scope"] == "courses:read"

    def test_to_change_does_not_open_to_read(self, student: Any) -> None:
        client = bearer(made_for(student, "enrollments:write").key)
        assert [client.get(MINE).status_code, client.post("/api/v1/enrollments", {}).status_code] == [
            403,
            400,
        ]

    def test_has_no_more_than_its_owners_present_roles(self, instructor: Any, administrator: Any) -> None:
        client = bearer(made_for(instructor).key)
        assert client.get("/api/v1/courses/mine").status_code == 200
        assert client.get("/api/v1/users").status_code == 403
        services.revoke_role(user_id=instructor.pk, role=Role.INSTRUCTOR, by=administrator)
        assert client.get("/api/v1/courses/mine").status_code == 403

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("get", "auth/me"), ("patch", "auth/me"), ("get", "auth/sessions"), ("get", "auth/api-keys"),
            ("post", "auth/api-keys"), ("post", "auth/logout-all"), ("post", "auth/password/change"),
        ],
    )  # fmt: skip
    def test_never_opens_the_account(self, administrator: Any, method: str, path: str) -> None:
        client = bearer(made_for(administrator).key)
        assert getattr(client, method)(f"/api/v1/{path}", wish()).status_code == 403

    def test_cannot_revoke_itself_or_another(self, student: Any) -> None:
        made = made_for(student)
        assert bearer(made.key).delete(f"{URL}/{made.row.pk}").status_code == 403

    def test_of_a_wrong_key_is_a_401(self, student: Any, django_assert_num_queries: Any) -> None:
        key = made_for(student).key
        mistyped = key[:20] + ("a" if key[20] != "a" else "b") + key[21:]
        other = new_api_key()
        for wrong in (
            mistyped,
            "sc_",
            "sc_x_y",
            key + "x",
            key[:-1],
            "sc_\xff",
            f"{key[:-6]}{checksum_of('x')}",
        ):
            with CaptureQueriesContext(connection) as queries:
                assert code_of(bearer(wrong).get(MINE)) == (401, "invalid_token")
            assert len(queries) == 0, "a mistake in typing is known by the checksum"
        answer = bearer(other).get(MINE)
        assert code_of(answer) == (401, "invalid_token")
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_beside_it_access_tokens_work_as_before(self, student: Any) -> None:
        assert bearer(log_in(student)["access_token"]).get(ME).status_code == 200
        assert code_of(bearer("of.old.times").get(ME)) == (401, "invalid_token")

    def test_is_noted_once_a_minute(self, student: Any) -> None:
        made = made_for(student)
        with time_machine.travel(timezone.now(), tick=False) as clock:
            moments = []
            for seconds in (0, 59, 1, 30):
                clock.shift(timedelta(seconds=seconds))
                with CaptureQueriesContext(connection) as queries:
                    bearer(made.key).get("/api/v1/categories")
                written = any("UPDATE" in query["sql"] for query in queries)
                made.row.refresh_from_db()
                used_at = made.row.last_used_at
                moments.append((written, used_at and timezone.now() - used_at))
        assert moments == [
            (True, timedelta(0)), (False, timedelta(seconds=59)), (True, timedelta(0)), (False, timedelta(seconds=30)),
        ]  # fmt: skip

    def test_costs_one_query_more_than_nobody(self, student: Any, anonymous: Any) -> None:
        key = made_for(student).key
        counts = []
        for client in (anonymous, bearer(key), bearer(key)):
            with CaptureQueriesContext(connection) as queries:
                client.get("/api/v1/categories")
            counts.append(len(queries))
        assert counts[2] == counts[0] + 1


class TestEnd:
    @pytest.mark.parametrize("what", ["revoked", "expired", "deactivated", "new password"])
    def test_is_felt_by_the_next_request(self, student: Any, administrator: Any, what: str) -> None:
        made = made_for(student, days=2)
        client = bearer(made.key)
        assert client.get(MINE).status_code == 200
        now = timezone.now()
        if what == "revoked":
            services.revoke_api_key(key_id=made.row.pk, at=now)
        elif what == "deactivated":
            services.deactivate_user(user_id=student.pk, by=administrator, at=now)
        elif what == "new password":
            services.set_password(user_id=student.pk, password="another fine passphrase", at=now)
        with time_machine.travel(now + timedelta(days=3 if what == "expired" else 0)):
            assert code_of(client.get(MINE)) == (
                401,
                "token_expired" if what == "expired" else "token_revoked",
            )

    def test_stays_after_a_deactivation_was_taken_back(self, student: Any, administrator: Any) -> None:
        client = bearer(made_for(student).key)
        services.deactivate_user(user_id=student.pk, by=administrator, at=timezone.now())
        services.reactivate_user(user_id=student.pk, by=administrator)
        assert client.get(MINE).status_code == 401

    def test_holds_where_only_the_flag_was_changed(self, student: Any) -> None:
        client = bearer(made_for(student).key)
        student.set_active(active=False)
        assert code_of(client.get(MINE)) == (403, "inactive_user")

    def test_by_its_owner_and_nobody_else(self, student: Any, stranger: Any, client_of: Any) -> None:
        made = made_for(student)
        url = f"{URL}/{made.row.pk}"
        assert [client_of(who).delete(url).status_code for who in (None, stranger)] == [401, 404]
        assert bearer(made.key).get(MINE).status_code == 200
        assert [client_of(student).delete(url).status_code for _ in range(2)] == [204, 404]
        assert bearer(made.key).get(MINE).status_code == 401
        assert client_of(student).get(URL).json()["results"] == []

    def test_shows_nobody_anothers_keys(self, student: Any, administrator: Any, client_of: Any) -> None:
        made_for(student)
        assert client_of(administrator).get(URL).json()["results"] == []


class TestLimits:
    def test_are_the_keys_own(self, student: Any, settings: Any) -> None:
        settings.RATE_LIMITS_ENABLED = True
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "default": (3, 3600)}
        redis = Redis.from_url(product.REDIS_URL)
        redis.flushdb()
        one, other = made_for(student), made_for(student)
        assert [bearer(one.key).get(MINE).status_code for _ in range(5)] == [200] * 3 + [429] * 2
        assert bearer(other.key).get(MINE).status_code == 200
        assert bearer(log_in(student)["access_token"]).get(ME).status_code == 200
        assert redis.exists(f"rate_limit:{student.pk}:{one.row.pk}:default")

    def test_hold_for_keys_that_are_none(self, settings: Any) -> None:
        settings.RATE_LIMITS_ENABLED = True
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "default": (3, 3600)}
        Redis.from_url(product.REDIS_URL).flushdb()
        assert [bearer(new_api_key()).get(MINE).status_code for _ in range(5)] == [401] * 3 + [429] * 2


class TestSecrecy:
    def test_in_the_log(self) -> None:
        key = new_api_key()
        assert key not in redact_text(f"got {key} from elsewhere")
        assert key not in redact_text(f"Authorization: Bearer {key}")

    def test_in_the_back_office(self, student: Any, staff: Any, administrator: Any, client: Client) -> None:
        made = made_for(student)
        url = "/admin/accounts/apikey/"
        client.force_login(staff)
        pages = [client.get(url, {"state": "live"}), client.get(f"{url}{made.row.pk}/change/")]
        assert all(f"sc_{made.row.prefix}_" in page.content.decode() for page in pages)
        assert not any(made.row.digest in page.content.decode() for page in pages)
        assert client.get(url, {"digest__startswith": "a"}).status_code in {302, 400}
        revoke = {"action": "revoke", "_selected_action": [made.row.pk]}
        client.post(url, revoke)
        assert bearer(made.key).get(MINE).status_code == 200, "staff may look"
        client.force_login(administrator)
        client.post(url, revoke)
        assert bearer(made.key).get(MINE).status_code == 401

    def test_on_a_page_that_takes_no_key(self, staff: Any, settings: Any) -> None:
        settings.DOCS_ARE_PUBLIC = False
        assert (
            APIClient(HTTP_AUTHORIZATION=f"Bearer {made_for(staff).key}").get("/api/v1/schema").status_code
            == 401
        )
