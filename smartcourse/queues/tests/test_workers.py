"""Real workers on a real RabbitMQ: what is killed is done again, what kills is put away, nothing else notices."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from smartcourse.embedded.processes import wait_until
from smartcourse.queues.dead_letters import redrive_letters
from smartcourse.queues.dispatch import send_now
from smartcourse.queues.models import DeadLetter, DeadLetterStatus
from smartcourse.queues.tests.conftest import AppOf
from smartcourse.queues.tests.processes import CeleryProcess, celery
from smartcourse.queues.tests.proxy import Proxy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.full,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("workers"),
]


BOTH = pytest.mark.parametrize("broker", ["rabbitmq", "redis"], indirect=True)


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> str:
    """RabbitMQ's address, or what the test names."""
    url: str = request.getfixturevalue(f"{getattr(request, 'param', 'rabbitmq')}_url")
    return url


@pytest.fixture
def worker(broker: str, app_of: AppOf, tmp_path: Path) -> Iterator[CeleryProcess]:
    app_of(broker)
    with another_worker(broker, tmp_path, "worker") as process:
        yield process


@contextmanager
def another_worker(broker: str, folder: Path, name: str, *, processes: int = 2) -> Iterator[CeleryProcess]:
    words = (
        "worker", "-Q", "default,scheduled", f"--concurrency={processes}", f"--hostname={name}@127.0.0.1",
        "--include=smartcourse.queues.tests.probes",
    )  # fmt: skip
    with celery(*words, broker=broker, folder=folder, name=name) as process:
        process.wait_for("ready.")
        yield process


def send(name: str, path: Path) -> None:
    assert send_now(f"probes.{name}", queue="default", arguments={"path": str(path)}, request_id="req-1")


def words(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def letters() -> list[DeadLetter]:
    return list(DeadLetter.objects.order_by("died_at"))


class TestKilledTask:
    @BOTH
    def test_is_done_again_within_seconds(self, worker: CeleryProcess, tmp_path: Path) -> None:
        start = time.monotonic()
        send("die_once", tmp_path / "once")
        assert wait_until(lambda: words(tmp_path / "once") == ["killed", "done"], timeout=15), worker.log
        print(f"done again after {time.monotonic() - start:.1f} s")  # noqa: T201 - figures for the reader
        assert letters() == []

    def test_is_done_by_the_next_worker_where_its_own_is_gone(
        self, worker: CeleryProcess, broker: str, tmp_path: Path
    ) -> None:
        send("die_with_worker", tmp_path / "once")
        with another_worker(broker, tmp_path, "next") as other:
            assert wait_until(lambda: words(tmp_path / "once") == ["killed", "done"], timeout=15), other.log
        assert worker.process.poll() is not None

    def test_that_kills_each_time_ends_among_the_dead_and_holds_up_nobody(
        self, worker: CeleryProcess, tmp_path: Path
    ) -> None:
        send("die_always", tmp_path / "always")
        send("do", tmp_path / "other")
        assert wait_until(lambda: words(tmp_path / "other") == ["done"], timeout=15), worker.log

        def is_collected() -> bool:
            send_now("queues.sweep_dead_letters", queue="scheduled", arguments={})
            return bool(wait_until(lambda: bool(letters()), timeout=0.5))

        assert wait_until(is_collected, timeout=20), worker.log
        [letter] = letters()
        # The first time, and as often again as the limit says: of deliveries, and under load one may be lost before it
        # has begun, with the process that it was handed to.
        assert words(tmp_path / "always") in (["killed"], ["killed"] * 2, ["killed"] * 3)
        assert (letter.task, letter.queue, letter.request_id) == ("probes.die_always", "default", "req-1")
        assert "delivery_limit" in letter.cause
        assert letter.arguments == {"path": str(tmp_path / "always")}


class TestFailingTask:
    @BOTH
    def test_is_tried_again_then_kept_with_its_cause_and_redriven_once_mended(
        self, worker: CeleryProcess, tmp_path: Path, staff
    ) -> None:
        path = tmp_path / "poison"
        send("raise_until_mended", path)
        send("do", tmp_path / "other")
        assert wait_until(lambda: words(tmp_path / "other") == ["done"], timeout=15), worker.log
        assert wait_until(lambda: bool(letters()), timeout=20), worker.log
        assert words(path) == ["tried"] * 4
        [letter] = letters()
        assert letter.cause == "LookupError: the thing is not there"
        assert "raise_until_mended" in letter.details
        assert (letter.queue, letter.request_id) == ("default", "req-1")

        Path(f"{path}.mended").touch()
        assert redrive_letters(DeadLetter.objects.all(), by=staff) == 1
        assert wait_until(lambda: words(path)[4:] == ["tried", "done"], timeout=15), worker.log
        letter.refresh_from_db()
        assert (letter.status, letter.settled_by) == (DeadLetterStatus.REDRIVEN, staff)

    def test_that_never_ends_is_killed_and_kept(self, worker: CeleryProcess, tmp_path: Path) -> None:
        send("never_end", tmp_path / "endless")
        assert wait_until(lambda: bool(letters()), timeout=15), worker.log
        [letter] = letters()
        assert "its time limit" in letter.cause
        assert letter.queue == "default"
        send("do", tmp_path / "other")
        assert wait_until(lambda: words(tmp_path / "other") == ["done"], timeout=15), worker.log
        assert words(tmp_path / "endless") == ["begun"]


class TestLostBroker:
    @BOTH
    def test_ends_no_worker_that_has_a_task_in_hand(self, broker: str, app_of: AppOf, tmp_path: Path) -> None:
        app_of(broker)
        address = urlsplit(broker)
        proxy = Proxy(address.hostname or "127.0.0.1", address.port or 5672)
        there = address._replace(netloc=f"{address.netloc.rpartition(':')[0]}:{proxy.port}").geturl()
        try:
            # Its message comes again while it is still in hand: one process each, and one for the other.
            with another_worker(there, tmp_path, "worker", processes=3) as worker:
                send("wait", tmp_path / "long")
                assert wait_until(lambda: words(tmp_path / "long") == ["begun"], timeout=15), worker.log
                # Nothing listens any more: what the worker would tell the broker as it lets go, it cannot.
                port = proxy.port
                proxy.close()
                worker.wait_for("Trying again in")
                proxy = Proxy(*proxy.target, port=port)
                send("do", tmp_path / "other")
                assert wait_until(lambda: words(tmp_path / "other") == ["done"], timeout=15), worker.log
                Path(f"{tmp_path / 'long'}.mended").touch()
                assert wait_until(lambda: "done" in words(tmp_path / "long"), timeout=15), worker.log
                send("do", tmp_path / "other")
                assert wait_until(lambda: words(tmp_path / "other") == ["done", "done"], timeout=15), (
                    worker.log
                )
                assert worker.process.poll() is None
        finally:
            proxy.close()
