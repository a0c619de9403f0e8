"""What nginx refuses by itself is a problem document too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from smartcourse.embedded.processes import free_port
from smartcourse.tests.nginx import needs_nginx, nginx

pytestmark = [pytest.mark.slow, needs_nginx]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one behind which nobody is."""
    with nginx(tmp_path_factory.mktemp("nginx"), behind=[free_port()]) as address:
        yield address


class TestRefusals:
    def test_of_too_large_a_body(self, site: str) -> None:
        # By hand: it is refused by its heading, and no client would believe an answer before it has sent its body.
        connection = HTTPConnection(site.removeprefix("http://"), timeout=10)
        with closing(connection):
            connection.putrequest("POST", "/api/v1/courses")
            connection.putheader("Content-Length", "7000000")
            connection.endheaders()
            answer = connection.getresponse()
            self.check(answer.status, dict(answer.getheaders()), json.load(answer), 413, "too_large")

    def test_without_anybody_behind_it(self, site: str) -> None:
        answer = httpx.get(f"{site}/api/v1/courses")
        self.check(answer.status_code, dict(answer.headers), answer.json(), 503, "unavailable")
        assert answer.headers["Retry-After"] == "5"

    @pytest.mark.parametrize(
        "path", ["/metrics", "//metrics", "/%6detrics", "/api/../metrics", "/metrics?x=1"]
    )
    def test_of_what_is_for_operators(self, site: str, path: str) -> None:
        # By hand: a client would tidy the path up.
        with closing(HTTPConnection(site.removeprefix("http://"), timeout=10)) as connection:
            connection.putrequest("GET", path)
            connection.endheaders()
            answer = connection.getresponse()
            self.check(answer.status, dict(answer.getheaders()), json.load(answer), 404, "not_found")

    def check(self, status: int, headers: Mapping[str, str], body: Any, wanted: int, code: str) -> None:
        told = {name.lower(): value for name, value in headers.items()}
        assert (status, body["status"], body["code"]) == (wanted, wanted, code)
        assert told["content-type"] == "application/problem+json"
        assert told["x-request-id"] == body["request_id"]
        assert told["x-content-type-options"] == "nosniff"
