"""Rate limits: never one request more than the bucket holds, kept in a real Redis."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings as product
from django.db import connection
from rest_framework.test import APIClient

from smartcourse.api import throttling

URL = "/api/v1/auth/login"
BODY = {"email": "nobody@example.org", "password": "wrong password"}


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

    def test_is_one_bucket_a_person_and_scope(self, student: Any, stranger: Any, client_of: Any) -> None:
        for who in (student, stranger):
            assert client_of(who).get("/api/v1/auth/me")["X-RateLimit-Remaining"] == "99"
        assert client_of(None).post(URL, BODY)["X-RateLimit-Remaining"] == "59"
        keys = {key.decode() for key in redis.Redis.from_url(product.REDIS_URL).scan_iter("rate_limit:*")}
        assert f"rate_limit:{student.pk}:default" in keys

    def test_does_not_believe_a_forwarded_address(self, settings: Any) -> None:
        for n in range(3):
            answer = APIClient().post(URL, BODY, headers={"X-Forwarded-For": f"10.0.0.{n}"})
        assert answer["X-RateLimit-Remaining"] == "57"
        settings.TRUSTED_PROXY_COUNT = 1
        answer = APIClient().post(URL, BODY, headers={"X-Forwarded-For": "1.1.1.1, 10.0.0.9"})
        assert answer["X-RateLimit-Remaining"] == "59", "the nearest proxy's word counts, not the client's"

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


@pytest.mark.django_db
class TestWithoutRedis:
    @pytest.fixture(autouse=True)
    def no_redis(self, settings: Any) -> None:
        # Nobody listens on port 1.
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

    def test_guessing_is_closed_and_the_rest_is_open(self, anonymous: Any, client: Any) -> None:
        assert anonymous.post(URL, BODY).status_code == 503
        assert anonymous.get("/api/v1/certificates/verify/NOTACODE").status_code == 503
        assert client.get("/verify/NOTACODE").status_code == 503
        assert anonymous.get("/api/v1/courses").status_code == 200
