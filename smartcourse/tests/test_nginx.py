"""What nginx refuses by itself is a problem document too."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from smartcourse.embedded.processes import free_port
from smartcourse.tests.faults.waiting import eventually

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(NGINX).exists(), reason="nginx is not installed (apt-get install nginx-light)"
    ),
]


def configuration(folder: Path, port: int) -> str:
    """Return the server of the site as shipped, on a plain port, before a web server that is not there."""
    shipped = (settings.BASE_DIR / "deploy/nginx/smartcourse.conf.template").read_text()
    servers = re.findall(r"^server \{.*?^\}", shipped, re.DOTALL | re.MULTILINE)
    [site] = [s for s in servers if "server_name ${PUBLIC_HOST};" in s]
    site = re.sub(r"listen 443 ssl;\s+http2 on;", f"listen 127.0.0.1:{port};", site)
    site = site.replace("${PUBLIC_HOST}", "127.0.0.1")
    paths = " ".join(
        f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {paths} upstream web {{ server 127.0.0.1:{free_port()}; }}\n{site}\n}}"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    (folder / "nginx.conf").write_text(configuration(folder, port))
    # Started by root, its workers are somebody else's.
    folder.chmod(0o777)
    for parent in folder.parents[:2] if os.geteuid() == 0 else ():
        parent.chmod(0o755)
    process = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:
        eventually(lambda: process.poll() is not None or (folder / "pid").exists(), 10)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


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
