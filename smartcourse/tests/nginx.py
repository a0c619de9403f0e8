"""nginx with the site of `deploy/nginx` as it is shipped, on a plain port, before web servers of a test's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from smartcourse.embedded.processes import free_port
from smartcourse.tests.faults.waiting import eventually

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"

needs_nginx = pytest.mark.skipif(
    not Path(NGINX).exists(), reason="nginx is not installed (apt-get install nginx-light)"
)


def configuration(folder: Path, port: int, behind: Sequence[int]) -> str:
    """Return the shipped configuration, without TLS, before the web servers on these ports."""
    shipped = (settings.BASE_DIR / "deploy/nginx/smartcourse.conf.template").read_text()
    servers = re.findall(r"^server \{.*?^\}", shipped, re.DOTALL | re.MULTILINE)
    [site] = [s for s in servers if "server_name ${PUBLIC_HOST};" in s]
    site = re.sub(r"listen 443 ssl;\s+http2 on;", f"listen 127.0.0.1:{port};", site)
    site = site.replace("${PUBLIC_HOST}", "127.0.0.1")
    # What is said of all proxied requests, of the web servers, and of connections kept for them.
    proxied = "\n".join(re.findall(r"^proxy_.*$", shipped, re.MULTILINE))
    [upstream] = re.findall(r"^upstream web \{.*?^\}", shipped, re.DOTALL | re.MULTILINE)
    [manner] = re.findall(r"server web:8000 resolve(.*);", upstream)
    [kept] = re.findall(r"keepalive \d+;", upstream)
    places = " ".join(f"server 127.0.0.1:{each}{manner};" for each in behind)
    paths = " ".join(
        f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {paths}\n{proxied}\nupstream web {{ zone web 64k; {places} {kept} }}\n{site}\n}}"
    )


@contextmanager
def nginx(folder: Path, behind: Sequence[int]) -> Iterator[str]:
    """Run it within the context, and give its address."""
    port = free_port()
    (folder / "nginx.conf").write_text(configuration(folder, port, behind))
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
