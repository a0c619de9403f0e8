"""`manage.py quickstart` as a process: what it tells, what it refuses, what it survives."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from smartcourse.embedded.datafolder import PROJECT_ROOT, DataFolder
from smartcourse.embedded.postgres import Postgres
from smartcourse.embedded.processes import free_port, started_at, wait_until

READY_SECONDS = 90
# Of the test run's own, which a quickstart must not use.
FOREIGN = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE", "SMARTCOURSE_DATA")
PLATFORM = ("web", "relay", "worker", "beat")

# They take both processors for some seconds: one at a time.
pytestmark = pytest.mark.xdist_group("quickstart")


class Run:
    """One quickstart on a data folder."""

    def __init__(self, folder, port, *words):
        self.folder = folder
        self.port = port
        inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "quickstart", f"--data={folder.path}", f"--port={port}", *words],
            cwd=PROJECT_ROOT,
            env=inherited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def announced(self):
        assert wait_until(
            lambda: self.folder.announcement.exists() or self.process.poll() is not None,
            timeout=READY_SECONDS,
        )
        if self.process.poll() is not None:
            pytest.fail(self.ended())
        return json.loads(self.folder.announcement.read_text())

    def ended(self):
        return self.process.communicate(timeout=60)[0]

    def stop(self, number):
        self.process.send_signal(number)
        return self.ended()


def status(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


@pytest.fixture
def folder(open_folder):
    folder = DataFolder(open_folder / "data").claim()
    # The demo content has tests of its own.
    (folder.path / "seeded-postgres").touch()
    yield folder
    Postgres(folder).erase()


@pytest.fixture
def start(folder):
    runs = []

    def start(*words, port):
        runs.append(Run(folder, port, *words))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.stop(signal.SIGTERM)


@pytest.mark.full
class TestQuickstart:
    def test_serves_and_tells_and_comes_back_after_any_death(self, folder, start):
        port = free_port()
        run = start(port=port)
        told = run.announced()
        assert stat.S_IMODE(folder.announcement.stat().st_mode) == 0o600
        assert told["api_url"] == f"http://127.0.0.1:{port}/api/v1"
        assert {account["role"] for account in told["accounts"]} == {"admin", "instructor", "student"}
        assert told["processes"]["quickstart"] == run.process.pid
        assert all(started_at(process) for process in told["processes"].values())
        assert status(port, "/api/v1/health") == 200

        for name in ("web", "postgres"):
            os.kill(told["processes"][name], signal.SIGKILL)
        assert wait_until(lambda: self.all_new(run, told, ("web", "postgres")), timeout=30)
        assert wait_until(lambda: status(port, "/api/v1/health") == 200, timeout=30)

        run.process.kill()
        run.ended()
        again = start(port=port)
        # The announcement of the killed run goes before anything else is done.
        assert wait_until(lambda: not folder.announcement.exists(), timeout=30)
        told_again = again.announced()
        assert not set(told_again["processes"].values()) & {told["processes"][name] for name in PLATFORM}
        output = again.stop(signal.SIGINT)
        assert again.process.returncode == 0
        assert "Ended what an earlier run left behind" in output
        assert told["accounts"][0]["password"] in output
        assert not folder.announcement.exists()
        assert not any(started_at(process) for process in told_again["processes"].values())

    def all_new(self, run, told, names):
        now = run.announced()["processes"]
        return all(now[name] != told["processes"][name] and started_at(now[name]) for name in names)


class TestRefusals:
    def test_a_port_that_is_taken(self, start):
        with socket.create_server(("127.0.0.1", 0)) as other:
            run = start(port=other.getsockname()[1])
            assert "is taken" in run.ended()
        assert run.process.returncode == 1

    @pytest.mark.parametrize("port", ["0", "65536", "99999", "x", "-1"])
    def test_a_port_that_no_server_can_have(self, port):
        with pytest.raises(CommandError, match="a port is a number"):
            call_command("quickstart", f"--port={port}")

    @pytest.mark.full
    @pytest.mark.parametrize("words", [(), ("--reset",)])
    def test_a_second_quickstart_on_the_same_data(self, folder, start, words):
        with folder.alone("quickstart"):
            run = start(*words, port=free_port())
            assert "Another quickstart is at work" in run.ended()
        assert run.process.returncode == 1
        assert (folder.path / "seeded-postgres").exists()

    def test_a_folder_that_holds_other_things(self, open_folder, start):
        (open_folder / "thesis.tex").touch()
        run = Run(DataFolder(open_folder), free_port(), "--reset")
        assert "thesis.tex" in run.ended()
        assert run.process.returncode == 1
        assert Path(open_folder / "thesis.tex").exists()
