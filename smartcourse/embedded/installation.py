"""The children that make up a SmartCourse on one machine, and what is told about them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from smartcourse.embedded.datafolder import PROJECT_ROOT, DataFolder, write_atomically
from smartcourse.embedded.supervisor import Command, inherited_environment

QUEUES = "emails,sms,certificates,reports,progress,webhooks,events,scheduled,default"
WEB_WORKERS, WEB_THREADS, WORKER_PROCESSES = 2, 4, 2
"""Sized for a laptop; four threads, so that log-ins, which hash for a quarter of a second, do not hold up the
catalogue."""


@dataclass(frozen=True)
class Account:
    """A demo account that a person may log in with."""

    role: str
    email: str
    password: str


@dataclass(frozen=True)
class Servers:
    """The addresses of the servers in use."""

    database_url: str
    redis_url: str
    broker_url: str


@dataclass(frozen=True)
class Installation:
    """One running SmartCourse: its folder, its port, its servers."""

    folder: DataFolder
    port: int
    servers: Servers

    @property
    def url(self) -> str:
        """The address of the site, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def addresses(self) -> dict[str, str]:
        """The addresses that people and programs start from."""
        api = f"{self.url}/api/v1"
        return {"url": self.url, "api_url": api, "docs_url": f"{api}/docs", "admin_url": f"{self.url}/admin/"}

    @property
    def worker_node(self) -> str:
        """The worker's node name; a broker that is shared has workers of others."""
        return f"smartcourse-{self.port}-{os.getpid()}@127.0.0.1"

    def manage(self, name: str, *words: str) -> Command:
        """Return a `manage.py` command as a child of that name."""
        return self._command(name, sys.executable, str(PROJECT_ROOT / "manage.py"), *words)

    def platform(self) -> list[Command]:
        """Return what serves: web, relay, worker, beat."""
        celery = (sys.executable, "-m", "celery", "-A", "smartcourse")
        # Alone, it has no balancer to leave first.
        serve = (f"--port={self.port}", f"--workers={WEB_WORKERS}", f"--threads={WEB_THREADS}", "--drain=0")
        worker = (
            "worker", "-Q", QUEUES, f"--concurrency={WORKER_PROCESSES}", "--hostname", self.worker_node, "-l", "INFO",
        )  # fmt: skip
        return [
            self.manage("web", "serve", *serve),
            self._command("worker", *celery, *worker),
            self.manage("relay", "relay"),
            self._command("beat", *celery, "beat", "-l", "INFO"),
        ]

    def _command(self, name: str, *arguments: str) -> Command:
        environment = {
            **inherited_environment(),
            "DJANGO_SETTINGS_MODULE": "smartcourse.settings.development",
            "DATABASE_URL": self.servers.database_url,
            "REDIS_URL": self.servers.redis_url,
            "CELERY_BROKER_URL": self.servers.broker_url,
            "PUBLIC_URL": self.url,
        }
        return Command(name=name, arguments=arguments, environment=environment)

    def announce(self, *, accounts: Sequence[Account], processes: Mapping[str, int | None]) -> None:
        """Write quickstart.json, whole or not at all; only the owner may read it, for the passwords."""
        content = {
            **self.addresses,
            "accounts": [asdict(account) for account in accounts],
            "processes": dict(processes),
        }
        write_atomically(self.folder.announcement, json.dumps(content, indent=2) + "\n")
