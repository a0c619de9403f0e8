"""What it costs to know who calls: an empty view, held against the same view without authentication, and against
simplejwt's own class.

`python -m benchmarks.authentication [--requests N] [--json]`

All in one process and one run, in turns, without HTTP between: only the view and what stands before it. Ours also asks
whether the session stands, and knows the roles; simplejwt's class asks for the user only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.servers import servers

ROUNDS = 5
PASSPHRASE = "correct horse battery staple"  # noqa: S105 - of an account of this run
Call = Callable[[], Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1000, help="requests a round and way (1000)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with servers():
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        ways = all_ways()
        rows = measured(ways, options.requests)
    if options.json:
        sys.stdout.write(json.dumps(rows) + "\n")
        return
    floor = rows["no authentication"]["median"]
    sys.stdout.write(f"{'an empty view with':34}{'median µs':>11}{'P95 µs':>9}{'more than none':>16}\n")
    for name, row in rows.items():
        more = row["median"] - floor
        sys.stdout.write(f"{name:34}{row['median']:11.0f}{row['p95']:9.0f}{more:16.0f}\n")


def all_ways() -> dict[str, Call]:
    """Return, by name, a call of the same empty view under each kind of authentication."""
    from rest_framework_simplejwt.authentication import JWTAuthentication

    from accounts.api.authentication import BearerAuthentication

    ours, theirs = signed_in()
    cached = way(BearerAuthentication, ours)
    return {
        "no authentication": way(None, ""),
        "ours, the session in the cache": cached,
        "ours, without Redis": without_redis(cached),
        "simplejwt's JWTAuthentication": way(JWTAuthentication, theirs),
    }


def signed_in() -> tuple[str, str]:
    """Return an access token of ours and one of simplejwt's, of the same user."""
    from django.core.cache import cache
    from django.utils import timezone
    from rest_framework_simplejwt.tokens import AccessToken

    from accounts import services
    from accounts.services import standing

    now = timezone.now()
    user = services.register_user(email="bench@example.org", password=PASSPHRASE, full_name="Ben", at=now)
    tokens = services.log_in(email=user.email, password=PASSPHRASE, device=services.Device(), at=now)
    # Whose role was given a moment ago is doubted for two minutes; what is measured is the day after.
    cache.delete(f"user:{user.pk}", version=standing._run_of_redis())  # noqa: SLF001 - a part of the entry's name
    return tokens.access_token, str(AccessToken.for_user(user))


def way(authentication: Any, token: str) -> Call:
    """Return a call of the empty view by that class and token."""
    from django.test import RequestFactory
    from rest_framework.permissions import AllowAny
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.views import APIView

    class Empty(APIView):
        permission_classes = (AllowAny,)
        throttle_classes = ()

        def get(self, request: Request) -> Response:
            # Authentication is lazy: who is never asked for is never looked up.
            return Response({"somebody": str(getattr(request.user, "pk", ""))})

    view = Empty.as_view(authentication_classes=[authentication] if authentication else [])
    headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
    factory = RequestFactory()

    def call() -> None:
        answer = view(factory.get("/", **headers))
        if answer.status_code != 200:
            raise RuntimeError(answer.data)

    return call


def without_redis(call: Call) -> Call:
    """Return the same call where there is no Redis."""
    from django.conf import settings

    def alone() -> None:
        redis_url, settings.REDIS_URL = settings.REDIS_URL, ""
        try:
            call()
        finally:
            settings.REDIS_URL = redis_url

    return alone


def measured(ways: dict[str, Call], requests: int) -> dict[str, dict[str, float]]:
    """Return median and P95 in microseconds of each way, taken in turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        for _ in range(50):
            call()
    for _ in range(ROUNDS):
        for name, call in ways.items():
            for _ in range(requests):
                begun = time.perf_counter()
                call()
                taken[name].append((time.perf_counter() - begun) * 1e6)
    return {
        name: {"median": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]}
        for name, times in taken.items()
    }


if __name__ == "__main__":
    main()
