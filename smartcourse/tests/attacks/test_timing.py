"""Who has an account is told by no clock: log-in and reset, at the cost that passwords really have."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import SignInAttempts, User
from accounts.tests.factories import UserFactory
from smartcourse.settings import base

pytestmark = pytest.mark.django_db
SAMPLES = 5
WRONG = "not the password"
# The work is the same to a hair, and is measured by the processor's clock, which neighbours do not move; what the wall
# clock says is noisier, and a check that was left out would show there by a hundred times.
BY_PROCESSOR, BY_WALL = 1.25, 3.0


@pytest.fixture
def hashed_at_full_cost(settings: Any) -> None:
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS


@pytest.fixture
def accounts(administrator: Any) -> dict[str, str]:
    """Addresses of every kind."""
    hashed = make_password("the right password")
    people = {kind: UserFactory(email=f"{kind}@example.org") for kind in ("known", "closed", "without")}
    User.objects.update(password=hashed)
    services.deactivate_user(user_id=people["closed"].pk, by=administrator, at=timezone.now())
    User.objects.filter(pk=people["without"].pk).update(password=make_password(None))
    return {kind: person.email for kind, person in people.items()} | {"unknown": "nobody@example.org"}


def api(url: str, **more: str) -> Callable[[str], Any]:
    return lambda email: APIClient().post(url, {"email": email, **more})


def form(url: str) -> Callable[[str], Any]:
    words = "application/x-www-form-urlencoded"
    return lambda email: APIClient().post(
        url, f"username={email}&password={WRONG.replace(' ', '+')}", content_type=words
    )


def medians(ask: Callable[[str], Any], accounts: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Return the seconds by processor and by wall for each kind; kinds take turns, so that all share a slow moment."""
    taken: dict[str, list[tuple[float, float]]] = {kind: [] for kind in accounts}
    for _ in range(SAMPLES):
        for kind, email in accounts.items():
            SignInAttempts.objects.all().delete()
            processor, wall = time.thread_time(), time.perf_counter()
            ask(email)
            taken[kind].append((time.thread_time() - processor, time.perf_counter() - wall))
    return {kind: (median(p for p, _ in times), median(w for _, w in times)) for kind, times in taken.items()}


class TestTiming:
    @pytest.mark.full
    @pytest.mark.slow
    @pytest.mark.usefixtures("hashed_at_full_cost")
    @pytest.mark.parametrize(
        ("ask", "least"),
        [
            (api("/api/v1/auth/login", password=WRONG), 0.05),
            pytest.param(form("/api/v1/auth/token"), 0.05, marks=pytest.mark.full),
            pytest.param(form("/admin/login/"), 0.05, marks=pytest.mark.full),
            (api("/api/v1/auth/password/reset"), 0.0),
            (api("/api/v1/auth/verify-email/resend"), 0.0),
        ],
        ids=["log-in", "token", "admin", "reset", "resend"],
    )
    def test_tells_nothing_of_the_account(
        self, ask: Callable[[str], Any], least: float, accounts: dict[str, str], capsys: Any
    ) -> None:
        ask("warm@example.org")
        told = medians(ask, accounts)
        with capsys.disabled():
            for kind, (by_processor, by_wall) in told.items():
                sys.stdout.write(
                    f"\n{kind}: {by_processor * 1000:.1f} ms, by the wall {by_wall * 1000:.1f} ms"
                )
        processor, wall = ([times[clock] for times in told.values()] for clock in (0, 1))
        assert min(processor) >= least, "a password was hashed for each"
        # Where nothing is hashed, a few milliseconds are all noise: three are granted.
        assert max(processor) <= min(processor) * BY_PROCESSOR + 0.003
        assert max(wall) <= min(wall) * BY_WALL + 0.02

    @pytest.mark.parametrize(
        "ask",
        [api("/api/v1/auth/login", password=WRONG), form("/api/v1/auth/token"), form("/admin/login/")],
        ids=["log-in", "token", "admin"],
    )
    def test_is_told_by_no_answer_either(self, ask: Callable[[str], Any], accounts: dict[str, str]) -> None:
        answers = set()
        for email in accounts.values():
            answer = ask(email)
            # The page repeats the address that was typed; the rest of both is the request's own id.
            text = answer.content.decode().replace(email, "")
            kept = text.replace(answer.get("X-Request-Id", "-"), "")
            answers.add(
                (answer.status_code, *(w for w in kept.splitlines() if "csrf" not in w and "nonce" not in w))
            )
        assert len(answers) == 1
