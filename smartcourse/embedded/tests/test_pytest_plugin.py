"""The servers of a test run, which this very run uses."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from smartcourse.embedded.datafolder import PROJECT_ROOT
from smartcourse.embedded.processes import ProcessRecord, wait_until
from smartcourse.testing.servers import redis_url_of_worker, sweep_killed_runs

# A test run in small: starts its servers, says where, and waits to be killed.
RUN = """
import signal
from smartcourse.testing.servers import TestServers
servers, environ = TestServers(), {}
servers.start(environ)
print(servers.folder.path, servers._postgres.pid, servers._valkey.pid, environ["DATABASE_URL"], flush=True)
signal.pause()
"""


class TestServersOfThisRun:
    def test_answer_under_the_addresses_in_the_environment(self):
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
            assert client.ping()


@pytest.mark.full
class TestSweepKilledRuns:
    def test_stops_the_servers_of_a_killed_run_and_deletes_their_files(self, open_folder, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(open_folder))
        run = subprocess.Popen(
            [sys.executable, "-c", RUN],
            cwd=PROJECT_ROOT,
            env={**os.environ, "TMPDIR": str(open_folder)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert run.stdout
        folder, postgres, valkey, _ = run.stdout.readline().split()
        servers = [record for process in (postgres, valkey) if (record := ProcessRecord.of(int(process)))]
        assert len(servers) == 2
        sweep_killed_runs()
        assert all(server.is_alive() for server in servers)
        run.kill()
        run.communicate()
        sweep_killed_runs()
        assert wait_until(lambda: not any(server.is_alive() for server in servers), timeout=5)
        assert not Path(folder).exists()


class TestRedisUrlOfWorker:
    @pytest.mark.parametrize(("worker", "database"), [("gw0", 1), ("gw7", 8)])
    def test_is_another_database_for_each(self, worker, database):
        assert (
            redis_url_of_worker("redis://:word@127.0.0.1:1/0", worker)
            == f"redis://:word@127.0.0.1:1/{database}"
        )
