"""Guessing: codes of certificates, and passwords by every spelling of an address and by every door."""

from __future__ import annotations

from itertools import cycle
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
from django.conf import settings as product
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import SignInAttempts
from accounts.tests.factories import PASSWORD, UserFactory
from certificates.models import new_code
from certificates.tests.factories import CertificateFactory

pytestmark = pytest.mark.django_db
ADDRESS = "kiss.student@example.org"
# Spellings that somebody's comparison might take for the same: by case, by Unicode, by what is not seen.
SPELLINGS = (
    ADDRESS, ADDRESS.upper(), ADDRESS.title(), f"  {ADDRESS}\t", f"\u00a0{ADDRESS}", "\u212aiss.student@example.org",
    "ki\u017fs.student@example.org", "k\u0131ss.student@example.org", "K\u0130SS.student@example.org",
    "\uff4biss.student@example.org", "kiss.student@example\u3002org", "kiss.student@example.org.",
    "kiss.stu\u200bdent@example.org", "kiss.student@EXAMPLE.org", "kiss.student+x@example.org",
    "kiss.\uff53tudent@example.org", "kiss.student\u0000@example.org", "kiss.student@ex\u00adample.org",
)  # fmt: skip
FORM = "application/x-www-form-urlencoded"


class TestCode:
    def test_has_130_bits_and_no_order(self) -> None:
        codes = [new_code() for _ in range(2_000)]
        assert {len(code) for code in codes} == {26}
        assert len(set(codes)) == 2_000
        # Each place takes all of the 32 letters, and so none is a clock, a counter or the same for all.
        assert {len({code[place] for code in codes}) for place in range(26)} == {32}
        assert codes != sorted(codes)

    def test_is_told_by_no_answer_of_its_neighbours(self, anonymous: Any) -> None:
        code = CertificateFactory().code
        other = "0" if code[-1] != "0" else "1"
        near = (
            code[:-1] + other,
            code[:-1],
            code + "0",
            code[:13] + "%",
            code.replace(code[0], "_", 1),
            "*",
            "%25",
        )
        told = [anonymous.get(f"/api/v1/certificates/verify/{word}") for word in near]
        assert {answer.status_code for answer in told} <= {400, 404}
        assert not any(code in answer.content.decode() for answer in told)
        assert anonymous.get(f"/api/v1/certificates/verify/{code}").status_code == 200

    def test_is_tried_thirty_times_a_minute_whatever_the_headers_say(self, settings: Any) -> None:
        settings.RATE_LIMITS_ENABLED = True
        settings.RATE_LIMITS = {**product.RATE_LIMITS, "verify": (product.RATE_LIMITS["verify"][0], 10**6)}
        redis.Redis.from_url(product.REDIS_URL).flushdb()
        statuses = []
        for n in range(35):
            headers = {
                "X-Forwarded-For": f"10.0.0.{n}",
                "X-Real-IP": f"10.0.0.{n}",
                "Forwarded": f"for=10.0.0.{n}",
            }
            answer = APIClient().get(f"/api/v1/certificates/verify/{new_code()}", headers=headers)
            statuses.append(answer.status_code)
        assert statuses == [404] * 30 + [429] * 5


def by_api(email: str, password: str) -> int:
    return int(APIClient().post("/api/v1/auth/login", {"email": email, "password": password}).status_code)


def by_form(email: str, password: str) -> int:
    form = urlencode({"username": email, "password": password})
    answer = APIClient().post("/api/v1/auth/token", form, content_type=FORM)
    return int(answer.status_code)


def by_admin(email: str, password: str) -> int:
    return int(Client().post("/admin/login/", {"username": email, "password": password}).status_code)


class TestSpelling:
    def test_of_an_address_gives_no_more_guesses(self) -> None:
        UserFactory(email=ADDRESS, role="staff")
        own = [word for word in SPELLINGS if by_api(word, PASSWORD) == 200]
        assert ADDRESS.upper() in own
        SignInAttempts.objects.all().delete()
        for word, _ in zip(cycle(own), range(5), strict=False):
            assert by_api(word, "not the password") == 401
        assert {by_api(word, PASSWORD) for word in own} == {429}
        assert not any(by_api(word, PASSWORD) == 200 for word in SPELLINGS)

    @pytest.mark.parametrize("door", [by_api, by_form, by_admin])
    def test_gets_through_no_other_door(self, door: Any) -> None:
        UserFactory(email=ADDRESS, role="staff")
        for _ in range(5):
            by_api(ADDRESS, "not the password")
        statuses = {word: door(word, PASSWORD) for word in SPELLINGS}
        assert not [word for word, status in statuses.items() if status == (302 if door is by_admin else 200)]
        assert statuses[ADDRESS] == statuses[ADDRESS.upper()] == 429

    def test_makes_no_second_account_for_the_same_person(self, anonymous: Any) -> None:
        body = {"password": "a long enough phrase", "full_name": "A Person"}
        made = [
            anonymous.post("/api/v1/auth/register", {**body, "email": word}).status_code
            for word in (ADDRESS, ADDRESS.upper(), f" {ADDRESS} ", "\u212aiss.student@example.org")
        ]
        assert made[0] == 201
        assert 201 not in made[1:]
