"""What schemathesis is lent: whose token, which rows of the world, and a pen to count with.

It decides nothing: no case is left out here, and no failure.
"""

from __future__ import annotations

import atexit
import json
import os
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pyotp
import requests
import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.core.parameters import ParameterLocation

ROLE = os.environ["FUZZ_ROLE"]
API = os.environ["FUZZ_API"]
WORLD: dict[str, list[dict[str, Any]]] = json.loads(Path(os.environ["FUZZ_WORLD"]).read_text())[ROLE]
PASSWORD = os.environ["FUZZ_PASSWORD"]
ELSEWHERE = 4
"""One in so many cases keeps the address that was made up; the others find a row."""

answers: Counter[str] = Counter()
judged: Counter[str] = Counter()
renewed: dict[str, str] = {}
stale: set[str] = set()


def label_of(operation: Any) -> str:
    return f"{operation.method.upper()} {operation.path}"


def first_request(operation: Any) -> dict[str, Any]:
    return next(iter(WORLD.get(label_of(operation), ())), {})


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Write the world's requests into the schema, as examples of parameters and bodies."""
    for path, item in raw_schema["paths"].items():
        for verb, operation in item.items():
            for request in WORLD.get(f"{verb.upper()} {path}", ())[:1]:
                exemplify(operation, request)


def exemplify(operation: dict[str, Any], request: dict[str, Any]) -> None:
    """Give the operation's parameters and body the request's values as examples."""
    for parameter in operation.get("parameters", ()):
        place = {"path": "path_parameters", "query": "query"}.get(parameter["in"], "")
        if parameter["name"] in request.get(place, ()):
            parameter["example"] = request[place][parameter["name"]]
        elif parameter["name"] in (body := request["body"] or {}):
            # A DELETE says in its address what others say in their bodies.
            parameter["example"] = body[parameter["name"]]
        elif parameter["name"] == "If-Match":
            parameter["example"] = "*"
    media = operation.get("requestBody", {}).get("content", {}).get(request["media_type"])
    if media is not None and request["body"] is not None:
        media["example"] = request["body"]
        if "file" in request["body"]:
            # The server wants name, type and content to agree.
            named = {"Content-Disposition": {"schema": {"type": "string"}, "example": 'filename="notes.txt"'}}
            media["encoding"] = {"file": {"contentType": "text/plain", "headers": named}}


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Let most cases find a row: what is sent to an address that nobody has meets only a 404."""
    request = first_request(case.operation)
    for place, where in (("path_parameters", ParameterLocation.PATH), ("query", ParameterLocation.QUERY)):
        made_up = getattr(case, place)
        if not request.get(place) or not made_up or case.meta is None or case.meta.is_negative_at(where):
            continue
        # By what was drawn, and not by chance: the same case must meet the same row when it is tried again.
        if zlib.crc32(repr(sorted(made_up.items())).encode()) % ELSEWHERE:
            made_up.update(request[place])
    return case


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Have an example's code of half a minute be one that is good when it is sent.

    The next one, which is taken already: that of now may have signed the same person in.
    """
    request = first_request(case.operation)
    if request.get("secret") and case.body == request["body"]:
        case.body = case.body | {"code": pyotp.TOTP(request["secret"]).at(time.time() + 30)}


# No interval: the tool would give all operations the token of the first for five minutes.
@schemathesis.auth(refresh_interval=None)
class Token:
    """The token of the person that the operation's world has for the role."""

    def get(self, case: Any, context: Any) -> str | None:
        request = first_request(context.operation)
        if "email" not in request:
            return None
        email = request["email"]
        if email in stale:
            stale.discard(email)
            renewed[email] = log_in(email) or renewed.get(email, "")
        return renewed.get(email) or str(request["token"])

    def set(self, case: Any, data: str | None, context: Any) -> None:
        if data:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


def log_in(email: str) -> str | None:
    """Return a new token; None where an operation did away with the account, or a second factor is asked for."""
    answer = requests.post(f"{API}/auth/login", json={"email": email, "password": PASSWORD}, timeout=30)
    return answer.json().get("access_token") if answer.ok else None


@schemathesis.check
def problem_code_is_documented(context: Any, response: Any, case: Any) -> None:
    """A check of our own beside the tool's: a refusal's code is one that the schema lists for its status."""
    judged[label_of(case.operation)] += 1
    answer = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    if documented := answer.get("x-problem-codes"):
        code = response.json()["code"]
        assert code in documented, f"{response.status_code} {code} is none of {', '.join(documented)}"


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count the answer; who was logged out by what an earlier case did logs in for the next."""
    answers[f"{label_of(case.operation)} {response.status_code}"] += 1
    request = first_request(case.operation)
    if response.status_code == 401 and "email" in request:
        stale.add(request["email"])


@atexit.register
def write_figures() -> None:
    figures = {"answers": answers, "judged": judged, "checks": CHECKS.get_all_names()}
    Path(os.environ["FUZZ_FIGURES"]).write_text(json.dumps(figures))
