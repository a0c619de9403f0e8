"""What the faults happen to: real servers, real processes, and how long an outage lasts."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from psycopg import sql

from smartcourse.embedded.datafolder import DataFolder
from smartcourse.embedded.postgres import Postgres
from smartcourse.embedded.processes import send
from smartcourse.embedded.valkey import start_valkey, valkey_url
from smartcourse.testing.long import FULL
from smartcourse.testing.servers import remove
from smartcourse.tests.faults.app.tables import TABLES
from smartcourse.tests.faults.mail import Mailbox, mail_server
from smartcourse.tests.faults.platform import Place, Platform
from smartcourse.tests.faults.proxy import Proxy
from smartcourse.tests.faults.rabbitmq import RabbitMQ
from smartcourse.tests.faults.waiting import eventually

BROKERS = ("valkey", "rabbitmq") if FULL else ("valkey",)
# Short enough that a test need not wait long, long enough that a slow machine does not take a living process for a
# dead one.
PATIENCE = {
    "SWEEP_INTERVAL_SECONDS": "1",
    "RELAY_TAKEOVER_SECONDS": "2",
    "DELIVERY_RETRY_SECONDS": "0.5,1,1.5",
    "DELIVERY_REDISPATCH_SECONDS": "2",
    "WORKFLOW_RETRY_SECONDS": "0.5,1,1.5",
    "WORKFLOW_LEASE_SECONDS": "3",
    "WORKFLOW_REDISPATCH_SECONDS": "2",
    # Not shorter: what waits in a long queue would be sent again and again, and make it longer.
    "MESSAGE_REDISPATCH_SECONDS": "10",
}


@dataclass(frozen=True)
class Scale:
    """How much of a fault there is: little in `make test`, as much as TRUST says in `make faults`."""

    full: bool

    def __call__(self, quick: Any, full: Any) -> Any:
        return full if self.full else quick


@pytest.fixture(scope="session")
def scale() -> Scale:
    return Scale(FULL)


# First, as pytest-xdist reads the groups by the same hook; given this folder by name, pytest would ask us after it.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have those that share an installation on one process of pytest-xdist."""
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.faults)
        if FULL and item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.xdist_group("alone"))
            continue
        broker = getattr(item, "callspec", None) and item.callspec.params.get("platform")  # type: ignore[attr-defined]  # a parametrised test has one
        if broker:
            shared = f"{item.path.stem}-{broker}" if FULL else broker
            item.add_marker(pytest.mark.xdist_group(f"faults-{shared}"))


class Ground:
    """PostgreSQL with a migrated database to copy, Valkey, a mail server; RabbitMQ from when it is asked for."""

    def __init__(self, folder: DataFolder, stack: ExitStack) -> None:
        self.folder = folder.claim()
        self._stack = stack
        self._numbers = itertools.count(1)
        self._postgres = Postgres(self.folder, durable=False)
        self._stack.callback(remove, self.folder)
        self._postgres.acquire()
        self._stack.callback(self._postgres.release)
        valkey = start_valkey(self.folder)
        self._stack.callback(valkey.end)
        self._rabbitmq: RabbitMQ | None = None
        self._migrate()

    def _migrate(self) -> None:
        template = Platform(self._place(self._postgres.url, 0, Mailbox(), "", Proxy()), {})
        template.manage("migrate", "--verbosity", "0")
        template.execute(TABLES)

    def _place(
        self, database_url: str, number: int, mailbox: Mailbox, email_url: str, broker: Proxy
    ) -> Place:
        return Place(
            folder=self.folder,
            database_url=database_url,
            # Two of Valkey's databases each: one for the cache, one behind the proxy for messages.
            redis_url=self._valkey_url(2 * number),
            broker_url="memory://",
            email_url=email_url or "dummymail://",
            broker=broker,
            mailbox=mailbox,
        )

    def _valkey_url(self, database: int) -> str:
        url = valkey_url(self.folder)
        assert url is not None
        return f"{url.rpartition('/')[0]}/{database}"

    def _new_database(self, number: int) -> str:
        """Copy the migrated database, and return the address of the copy."""
        server, _, original = self._postgres.url.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            names = sql.Identifier(f"faults_{number}"), sql.Identifier(original)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return f"{server}/faults_{number}"

    @contextmanager
    def postgres_down(self) -> Iterator[None]:
        """Within the context there is no PostgreSQL; it ended at once, as by `pg_ctl stop -m immediate`.

        No transaction was finished, no client told. Behind the context it has recovered, on its port.
        """
        assert self._postgres.pid is not None
        send(self._postgres.pid, signal.SIGQUIT)
        eventually(lambda: not self._postgres.is_alive(), 10, "PostgreSQL did not end")
        try:
            yield
        finally:
            self._postgres.start()

    def new_platform(
        self, stack: ExitStack, *, broker: str, patience: dict[str, str], redis_behind_proxy: bool = False
    ) -> Platform:
        """Return an installation without processes yet, with that broker (and Redis, where asked) behind a proxy."""
        number = next(self._numbers)
        mailbox, email_url = stack.enter_context(mail_server())
        proxy = stack.enter_context(Proxy(self._broker_address(broker)))
        place = self._place(self._new_database(number), number, mailbox, email_url, proxy)
        place = replace(place, broker_url=self._broker_url(broker, number, proxy))
        if redis_behind_proxy:
            door = stack.enter_context(Proxy(self._broker_address("valkey")))
            place = replace(place, redis=door, redis_url=self._through(door, 2 * number))
        platform = Platform(place, PATIENCE | patience)
        stack.callback(platform.end)
        return platform

    def _broker_address(self, broker: str) -> tuple[str, int]:
        if broker == "rabbitmq":
            # A node for each installation: what one leaves in its queues is nothing to the next.
            if self._rabbitmq is not None:
                self._rabbitmq.end()
            else:
                self._stack.callback(self._end_rabbitmq)
            self._rabbitmq = RabbitMQ(self.folder)
            self._rabbitmq.start()
            return self._rabbitmq.address
        host, _, port = self._valkey_url(0).rpartition("@")[2].partition("/")[0].partition(":")
        return host, int(port)

    def _end_rabbitmq(self) -> None:
        if self._rabbitmq is not None:
            self._rabbitmq.end()

    def _broker_url(self, broker: str, number: int, proxy: Proxy) -> str:
        if broker == "rabbitmq":
            return f"amqp://guest:guest@127.0.0.1:{proxy.port}//"
        return self._through(proxy, 2 * number + 1)

    def _through(self, proxy: Proxy, database: int) -> str:
        secret = self._valkey_url(0).rpartition("@")[0]
        return f"{secret}@127.0.0.1:{proxy.port}/{database}"

    def flush_valkey(self) -> None:
        """Have Valkey forget everything: caches, limits, messages."""
        with redis.Redis.from_url(self._valkey_url(0)) as client:
            client.flushall()


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ExitStack() as stack:
        yield Ground(DataFolder(tmp_path_factory.mktemp("faults") / "data"), stack)


def _platform_scope(fixture_name: str, config: pytest.Config) -> Any:
    return "module" if FULL else "session"


@pytest.fixture(scope=_platform_scope, params=BROKERS)
def platform(request: pytest.FixtureRequest, ground: Ground) -> Iterator[Platform]:
    """An installation: one for all faults in the quick set, in the long one each file has its own for each broker."""
    with ExitStack() as stack:
        # A module of the long set may have another patience than its siblings: their installations are their own.
        patience = getattr(request.module, "PATIENCE", {}) if FULL else {}
        yield ground.new_platform(stack, broker=request.param, patience=patience)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Show the logs of the processes with a test that failed, and leave no breakpoint and no frozen process behind."""
    report = yield
    platform = getattr(item, "funcargs", {}).get("platform")
    if isinstance(platform, Platform) and report.when == "call":
        if report.failed:
            report.sections.append(("logs of the processes", platform.logs()))
        platform.mend()
    return report
