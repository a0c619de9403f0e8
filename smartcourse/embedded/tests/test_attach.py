"""How a command finds its database."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest

from smartcourse.embedded.attach import DEVELOPMENT, attach, data_folder, needs_database
from smartcourse.embedded.datafolder import DEFAULT_FOLDER, PROJECT_ROOT, DataFolder, ForeignFolderError
from smartcourse.embedded.postgres import Postgres
from smartcourse.embedded.processes import wait_until
from smartcourse.embedded.valkey import start_valkey, valkey_url

# Uses its database, says so, and goes on using it until it is told to end.
USER = """
import os, sys
import psycopg
from smartcourse.embedded.attach import attach
environ = dict(os.environ)
with attach(environ, ["manage.py", "import_course"]):
    with psycopg.connect(environ["DATABASE_URL"], autocommit=True) as connection:
        print("in", flush=True)
        sys.stdin.readline()
        connection.execute("SELECT 1")
print("out", flush=True)
"""


def environment(folder):
    return {"DJANGO_SETTINGS_MODULE": DEVELOPMENT, "SMARTCOURSE_DATA": str(folder.path)}


def start_user(folder):
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")
    }
    user = subprocess.Popen(
        [sys.executable, "-c", USER],
        cwd=PROJECT_ROOT,
        env={**inherited, **environment(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert user.stdout
    assert user.stdout.readline() == "in\n"
    return user


@pytest.fixture
def folder(open_folder):
    return DataFolder(open_folder / "data").claim()


@pytest.fixture
def postgres(folder):
    """The folder's server as an observer sees it, without a share in it."""
    yield Postgres(folder)
    Postgres(folder).erase()


class TestAttach:
    def test_starts_the_database_and_stops_it_at_the_end(self, folder, postgres):
        environ = environment(folder)
        with (
            attach(environ, ["manage.py", "import_course"]),
            psycopg.connect(environ["DATABASE_URL"]) as connection,
        ):
            assert connection.execute("SELECT current_database()").fetchone() == ("smartcourse",)
        assert "REDIS_URL" not in environ
        assert postgres._running() is None

    @pytest.mark.full
    def test_stops_it_after_an_error_too(self, folder, postgres):
        with pytest.raises(ZeroDivisionError), attach(environment(folder), ["manage.py", "import_course"]):
            _ = 1 / 0
        assert postgres._running() is None

    def test_uses_the_valkey_that_runs(self, folder, postgres):
        valkey = start_valkey(folder)
        environ = environment(folder)
        with attach(environ, ["manage.py", "import_course"]):
            assert environ["REDIS_URL"] == valkey_url(folder)
        valkey.end()

    def test_lets_the_named_database_win(self, folder):
        environ = environment(folder) | {"DATABASE_URL": "postgres://elsewhere/db"}
        with attach(environ, ["manage.py", "import_course"]):
            assert environ["DATABASE_URL"] == "postgres://elsewhere/db"
        assert not (folder.path / "postgres").exists()

    def test_leaves_other_settings_alone(self, tmp_path):
        environ = {"DJANGO_SETTINGS_MODULE": "smartcourse.settings.production"}
        with attach(environ, ["manage.py", "migrate"]):
            assert environ == {"DJANGO_SETTINGS_MODULE": "smartcourse.settings.production"}

    def test_refuses_a_folder_that_is_not_a_data_folder(self, tmp_path):
        (tmp_path / "thesis.tex").touch()
        with (
            pytest.raises(ForeignFolderError),
            attach(
                {"DJANGO_SETTINGS_MODULE": DEVELOPMENT}, ["manage.py", "quickstart", "--data", str(tmp_path)]
            ),
        ):
            pass


@pytest.mark.full
class TestTwoCommandsAtOnce:
    def test_the_first_to_end_leaves_the_database_to_the_other(self, folder, postgres):
        first, second = start_user(folder), start_user(folder)
        assert first.communicate("\n", timeout=30)[0] == "out\n"
        assert postgres._running() is not None
        assert second.communicate("\n", timeout=30)[0] == "out\n"
        assert (first.returncode, second.returncode) == (0, 0)
        assert postgres._running() is None

    def test_sigterm_gives_the_share_back(self, folder, postgres):
        user = start_user(folder)
        user.send_signal(signal.SIGTERM)
        user.communicate(timeout=30)
        assert user.returncode == 128 + signal.SIGTERM
        assert postgres._running() is None

    def test_a_killed_one_leaves_a_database_that_the_next_takes_over(self, folder, postgres):
        user = start_user(folder)
        left = postgres._running()
        user.kill()
        user.communicate()
        assert left.is_alive()
        with attach(environment(folder), ["manage.py", "import_course"]):
            assert postgres._running() == left
        assert wait_until(lambda: not left.is_alive(), timeout=10)


class TestNeedsDatabase:
    @pytest.mark.parametrize(
        "words", ["", "help migrate", "quickstart", "check --deploy", "migrate --help", "spectacular"]
    )
    def test_is_false_for_commands_that_do_not_look_into_it(self, words):
        assert not needs_database(["manage.py", *words.split()])

    @pytest.mark.parametrize(
        "words", ["migrate", "import_course x.imscc", "check --database default", "shell"]
    )
    def test_is_true_for_the_others(self, words):
        assert needs_database(["manage.py", *words.split()])


class TestDataFolderOfCommand:
    def test_is_what_quickstart_is_told(self, tmp_path):
        for words in (["--data", str(tmp_path)], [f"--data={tmp_path}"]):
            found = data_folder({"SMARTCOURSE_DATA": "/elsewhere"}, ["manage.py", "quickstart", *words])
            assert found.path == tmp_path

    def test_is_the_variable_and_then_the_project_own(self):
        assert (
            str(data_folder({"SMARTCOURSE_DATA": "/elsewhere"}, ["manage.py", "migrate"]).path)
            == "/elsewhere"
        )
        assert data_folder({}, ["manage.py", "migrate"]).path == DEFAULT_FOLDER
