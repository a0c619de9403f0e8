"""Rate limits: never one request more than the bucket holds, kept in a real Redis."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings as product
from django.db import connection
from rest_framework.test import APIClient

from smartcourse.api import throttling
from smartcourse.api.client import network_of
from smartcourse.errors import Unavailable

URL = "/api/v1/auth/login"
BODY = {"email": "nobody@example.org", "password": "wrong password"}


# 50 takes in a process of its own; four of them make 200, of which a bucket of 10 lets 10 through.
PROCESS = """
import django
django.setup()
from django.conf import settings
from smartcourse.api.throttling import take_token
settings.RATE_LIMITS_ENABLED = True
settings.RATE_LIMITS = {"verify": (10, 36000)}
print(sum(take_token(caller="crowd", scope="verify").allowed for _ in range(50)))
"""


def another() -> dict[str, str]:
    """Return a log-in to another account each time, so that no lockout comes before the limit."""
    return {**BODY, "email": f"{uuid4().hex}@example.org"}


@pytest.fixture(autouse=True)
def limits(settings: Any) -> None:
    settings.RATE_LIMITS_ENABLED = True
    redis.Redis.from_url(product.REDIS_URL).flushdb()


@pytest.mark.django_db
class TestTokenBucket:
    def test_lets_exactly_as_many_through_as_it_holds(self, settings: Any) -> None:
        # A token in twelve minutes, so that none comes back while the test runs.
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "auth": (5, 3600)}
        answers = [APIClient().post(URL, another()) for _ in range(8)]
        assert [a.status_code for a in answers] == [401] * 5 + [429] * 3
        assert [a["X-RateLimit-Remaining"] for a in answers] == ["4", "3", "2", "1", "0", "0", "0", "0"]
        refused = answers[-1]
        assert refused.json()["code"] == "rate_limited"
        assert 700 <= int(refused["Retry-After"]) <= 720
        assert refused["X-RateLimit-Limit"] == "5"
        assert 3500 <= int(refused["X-RateLimit-Reset"]) <= 3600

    def test_holds_when_everybody_comes_at_once(self, settings: Any) -> None:
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "verify": (30, 3600)}
        verdicts: list[bool] = []

        def work() -> None:
            for _ in range(10):
                verdict = throttling.take_token(caller="crowd", scope="verify")
                verdicts.append(bool(verdict and verdict.allowed))

        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert (len(verdicts), sum(verdicts)) == (200, 30)

    @pytest.mark.django_db(transaction=True)
    def test_lets_sixty_of_a_hundred_log_ins_through(self, settings: Any) -> None:
        # The product's bucket, filled again in an hour instead of a minute, so that none comes back while this runs.
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "auth": (product.RATE_LIMITS["auth"][0], 3600)}
        answers: list[Any] = []

        def work() -> None:
            answers.extend(APIClient().post(URL, another()) for _ in range(20))
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        codes = [answer.status_code for answer in answers]
        assert (codes.count(401), codes.count(429)) == (60, 40)

    @pytest.mark.full
    def test_holds_across_processes(self) -> None:
        done = [
            subprocess.Popen(
                [sys.executable, "-c", PROCESS], stdout=subprocess.PIPE, text=True, cwd=product.BASE_DIR,
                env={**os.environ, "REDIS_URL": product.REDIS_URL},
            )
            for _ in range(4)
        ]  # fmt: skip
        allowed = [int(process.communicate(timeout=60)[0]) for process in done]
        assert (len(allowed), sum(allowed)) == (4, 10)

    def test_gives_back_what_time_has_earned_and_no_more(self, settings: Any) -> None:
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "verify": (2, 2)}
        take = partial(throttling.take_token, caller="patient", scope="verify")
        verdicts = [take() for _ in range(3)]
        assert [bool(v and v.allowed) for v in verdicts] == [True, True, False]
        refused = verdicts[-1]
        assert refused
        assert 0 < refused.wait <= 1
        # Redis has the clock, which no test can turn: the condition is awaited.
        deadline = time.monotonic() + 10
        while not (verdict := take()) or not verdict.allowed:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert not (late := take()) or not late.allowed

    def test_is_one_bucket_a_person_and_scope(self, student: Any, stranger: Any, client_of: Any) -> None:
        for who in (student, stranger):
            assert client_of(who).get("/api/v1/auth/me")["X-RateLimit-Remaining"] == "99"
        assert client_of(None).post(URL, BODY)["X-RateLimit-Remaining"] == "59"
        keys = {key.decode() for key in redis.Redis.from_url(product.REDIS_URL).scan_iter("rate_limit:*")}
        assert f"rate_limit:{student.pk}:default" in keys

    def test_limits_the_page_for_people_too(self, client: Any, settings: Any) -> None:
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "verify": (30, 3600)}
        codes = [client.get("/verify/NOTACODE").status_code for _ in range(32)]
        assert codes == [404] * 30 + [429] * 2


@pytest.mark.django_db
class TestBackOfficeLogin:
    def test_is_limited_like_the_log_in_of_the_api(self, client: Any, settings: Any) -> None:
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "auth": (5, 3600)}
        codes = [
            client.post("/admin/login/", {"username": another()["email"], "password": "wrong"}).status_code
            for _ in range(7)
        ]
        assert codes == [200] * 5 + [429] * 2

    def test_tells_a_browser_by_a_page(self, client: Any, settings: Any) -> None:
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "default": (1, 3600)}
        pages = [client.get("/", headers={"Accept": "text/html"}) for _ in range(2)]
        assert [page.status_code for page in pages] == [200, 429]
        assert [page["X-RateLimit-Remaining"] for page in pages] == ["0", "0"]
        assert pages[1]["Content-Type"].startswith("text/html")
        assert 3500 <= int(pages[1]["Retry-After"]) <= 3600


@pytest.mark.django_db
class TestHeaders:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/api/v1/courses", 200), ("/api/v1/auth/me", 401), ("/api/v1/certificates/keys", 200),
            ("/api/v1/courses?page=x", 400), ("/", 200), ("/verify/NOTACODE", 404), ("/verify-email", 200),
            ("/admin/login/", 200), ("/api/v1/schema", 200), ("/api/v1/certificates/verify/NOTACODE", 404),
        ],
    )  # fmt: skip
    def test_are_on_every_answer(self, client: Any, path: str, status: int) -> None:
        answer = client.get(path)
        assert answer.status_code == status
        limit, left = int(answer["X-RateLimit-Limit"]), int(answer["X-RateLimit-Remaining"])
        assert left == limit - 1
        assert int(answer["X-RateLimit-Reset"]) >= 1

    def test_are_on_refusals_and_errors(self, student: Any, client_of: Any) -> None:
        answers = [
            client_of(student).get("/api/v1/users"),
            APIClient(HTTP_AUTHORIZATION="Bearer of.old.times").get("/api/v1/courses"),
            client_of(student).post("/api/v1/enrollments", "{", content_type="application/json"),
        ]
        assert [answer.status_code for answer in answers] == [403, 401, 400]
        assert all(answer.has_header("X-RateLimit-Remaining") for answer in answers)


@pytest.mark.django_db
class TestRefusals:
    def test_take_from_the_bucket_too(self, student: Any, client_of: Any, settings: Any) -> None:
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "default": (2, 3600)}
        forbidden = [client_of(student).get("/api/v1/users").status_code for _ in range(3)]
        assert forbidden == [403, 403, 429]
        unknown = APIClient(HTTP_AUTHORIZATION="Bearer of.old.times")
        assert [unknown.get("/api/v1/courses").status_code for _ in range(3)] == [401, 401, 429]


def ask_from(address: str, forwarded: str = "", user: Any = None) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return client.get("/api/v1/courses", headers=headers, REMOTE_ADDR=address)


def left_of(answer: Any) -> int:
    return int(answer["X-RateLimit-Remaining"])


@pytest.mark.django_db
class TestCaller:
    @pytest.fixture(autouse=True)
    def slow_to_fill(self, settings: Any) -> None:
        """Buckets that get nothing back while a test looks at what is left."""
        settings.RATE_LIMITS = {scope: (held, 10**6) for scope, (held, _) in product.RATE_LIMITS.items()}

    def test_is_the_connection_where_no_proxy_is_trusted(self) -> None:
        seen = [left_of(ask_from("192.0.2.1", f"10.0.0.{n}, 10.1.1.{n}")) for n in range(4)]
        assert seen == [99, 98, 97, 96]

    def test_is_what_the_proxy_said_and_nothing_before_it(self, settings: Any) -> None:
        settings.TRUSTED_PROXY_COUNT = 1
        seen = [left_of(ask_from("10.0.0.1", f"1.1.1.{n}, 2.2.2.{n}, 203.0.113.5")) for n in range(4)]
        assert seen == [99, 98, 97, 96]
        assert left_of(ask_from("10.0.0.1", "203.0.113.6")) == 99, "another client of the same proxy"

    @pytest.mark.parametrize(
        ("said", "network"),
        [
            ("203.0.113.5", "203.0.113.5"), ("203.0.113.5:4711", "203.0.113.5"), ("::ffff:203.0.113.5", "203.0.113.5"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
            ("fe80::1%eth0", "fe80::/64"), ("unknown", "unknown"), ("", "unknown"),
            ("01a1fcc9-0000-7000-8000-000000000000", "unknown"), ("x" * 9000, "unknown"),
        ],
    )  # fmt: skip
    def test_has_no_bucket_that_it_could_choose(self, said: str, network: str) -> None:
        assert network_of(said) == network

    def test_without_an_account_and_with_one_do_not_touch_each_other(
        self, student: Any, settings: Any
    ) -> None:
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "default": (3, 3600)}
        flood = [ask_from("192.0.2.1").status_code for _ in range(5)]
        assert flood == [200] * 3 + [429] * 2
        own = [ask_from("192.0.2.1", user=student).status_code for _ in range(5)]
        assert own == [200] * 3 + [429] * 2
        assert ask_from("198.51.100.1").status_code == 200

    def test_has_a_bucket_for_every_scope(self) -> None:
        for scope in product.RATE_LIMITS:
            verdict = throttling.take_token(caller="somebody", scope=scope)
            assert verdict
            assert verdict.left == product.RATE_LIMITS[scope][0] - 1
        keys = {key.decode() for key in redis.Redis.from_url(product.REDIS_URL).scan_iter("rate_limit:*")}
        assert keys == {f"rate_limit:somebody:{scope}" for scope in product.RATE_LIMITS}


@pytest.mark.django_db
class TestWithoutRedis:
    @pytest.fixture(autouse=True)
    def no_redis(self, settings: Any) -> None:
        # Nobody listens on port 1.
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

    @pytest.mark.parametrize("scope", sorted(product.RATE_LIMITS))
    def test_each_scope_does_what_is_declared(self, scope: str) -> None:
        take = partial(throttling.take_token, caller="somebody", scope=scope)
        if scope in throttling.FAIL_CLOSED:
            with pytest.raises(Unavailable):
                take()
        else:
            assert take() is None

    def test_credentials_and_verification_are_what_is_closed(self) -> None:
        assert {"auth", "verify"} == throttling.FAIL_CLOSED <= set(product.RATE_LIMITS)

    def test_guessing_is_closed_and_the_rest_is_open(self, anonymous: Any, client: Any) -> None:
        closed = [
            anonymous.post(URL, BODY),
            client.post("/admin/login/", {"username": "x", "password": "y"}),
            anonymous.get("/api/v1/certificates/verify/NOTACODE"),
            client.get("/verify/NOTACODE"),
        ]
        assert {(answer.status_code, answer["Retry-After"]) for answer in closed} == {(503, "5")}
        assert anonymous.get("/api/v1/courses").status_code == 200
        assert anonymous.get("/api/v1/certificates/keys").status_code == 200
