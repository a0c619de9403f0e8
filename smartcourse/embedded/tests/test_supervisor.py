"""Children: started, watched, restarted, ended whole; on real processes."""

import os
import signal
import subprocess
import sys

import pytest

from smartcourse.embedded.datafolder import PROJECT_ROOT, DataFolder
from smartcourse.embedded.processes import ProcessRecord, group_members, orphans_of, wait_until
from smartcourse.embedded.supervisor import (
    Child,
    ChildError,
    Command,
    Signals,
    StopRequested,
    Supervisor,
    end_leftovers,
    run_step,
)

# A leader with a member in its group; told to stop it says goodbye, as long as it is not killed.
PAIR = """
import signal, subprocess, sys
member = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
def leave(number, frame):
    print("goodbye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("up", flush=True)
signal.pause()
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
# A quickstart in small, to be killed.
KILLED = """
import signal, sys
from pathlib import Path
from smartcourse.embedded.datafolder import DataFolder
from smartcourse.embedded.tests.test_supervisor import PAIR, python
child = python(PAIR, DataFolder(Path(sys.argv[1])).claim())
child.start()
print(child.pid, flush=True)
signal.pause()
"""


def python(script, folder, name="child"):
    return Child(
        Command(name=name, arguments=(sys.executable, "-c", script), environment=dict(os.environ)), folder
    )


def start_pair(folder):
    child = python(PAIR, folder)
    child.start()
    assert wait_until(lambda: "up" in folder.log_tail("child"), timeout=10)
    return child


@pytest.fixture
def folder(tmp_path):
    return DataFolder(tmp_path / "data").claim()


@pytest.fixture
def signals():
    with Signals() as signals:
        yield signals


@pytest.fixture
def restarted():
    return []


@pytest.fixture
def supervisor(signals, restarted):
    return Supervisor(signals, on_restart=restarted.append)


class TestChild:
    def test_is_on_record_while_it_runs(self, folder):
        child = start_pair(folder)
        record, _ = folder.recall("child")
        assert record == ProcessRecord.of(child.pid)
        child.end()
        assert folder.recall("child") is None

    def test_ends_with_its_whole_group(self, folder):
        child = start_pair(folder)
        group = child.pid
        assert len(group_members(group)) == 2
        assert child.end() in (0, -signal.SIGKILL)
        assert group_members(group) == []

    def test_ends_what_a_dead_leader_left_before_it_starts_again(self, folder):
        child = start_pair(folder)
        group = child.pid
        os.kill(group, signal.SIGKILL)
        assert wait_until(lambda: not child.is_alive(), timeout=5)
        assert len(group_members(group)) == 1
        child.start()
        assert group_members(group) == []
        assert child.is_alive()
        child.end()

    def test_reads_what_it_is_given_on_standard_input(self, folder):
        script = "import sys; print('given', sys.stdin.read())"
        words = (sys.executable, "-c", script)
        child = Child(Command(name="child", arguments=words, environment={}, given="a secret"), folder)
        child.start()
        assert wait_until(lambda: not child.is_alive(), timeout=10)
        assert child.end() == 0
        assert folder.log_tail("child") == "given a secret"


class TestWatch:
    def test_restarts_a_child_that_was_killed(self, folder, supervisor, restarted):
        child = start_pair(folder)
        supervisor.watch(child)
        killed = child.pid
        os.kill(killed, signal.SIGKILL)
        assert supervisor.wait_for(lambda: restarted == ["child"], timeout=10)
        assert child.is_alive()
        assert supervisor.process_ids() == {"child": child.pid}
        assert child.pid != killed
        supervisor.stop("child")

    def test_waits_longer_after_each_death_and_forgives_after_a_steady_life(self, folder, signals, restarted):
        now = [0.0]
        supervisor = Supervisor(signals, on_restart=restarted.append, clock=lambda: now[0])
        child = python("pass", folder)
        child.start()
        supervisor.watch(child)
        waited = []
        for _ in range(3):
            assert wait_until(lambda: not child.is_alive(), timeout=10)
            supervisor.look()
            before, count = now[0], len(restarted)
            while len(restarted) == count:
                now[0] += 0.1
                supervisor.look()
            waited.append(round(now[0] - before, 1))
        assert waited[0] < waited[1] < waited[2]
        assert supervisor.deaths("child") == 3
        now[0] += 1000
        assert wait_until(lambda: not child.is_alive(), timeout=10)
        supervisor.look()
        assert supervisor.deaths("child") == 1
        supervisor.stop("child")


class TestStop:
    def test_lets_a_child_finish(self, folder, supervisor):
        child = start_pair(folder)
        supervisor.watch(child)
        supervisor.stop("child")
        assert "goodbye" in folder.log_tail("child")
        assert child.pid is None

    def test_kills_at_once_when_asked_twice(self, folder, signals, supervisor):
        child = python(DEAF, folder)
        child.start()
        assert wait_until(lambda: "up" in folder.log_tail("child"), timeout=10)
        supervisor.watch(child)
        group = child.pid
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        supervisor.stop("child")
        assert group_members(group) == []

    def test_a_request_ends_any_waiting(self, supervisor):
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(StopRequested):
            supervisor.wait_for(lambda: False, timeout=60)
        supervisor.run()


class TestRunStep:
    def test_shows_the_end_of_the_log_of_a_step_that_fails(self, folder, supervisor):
        words = (sys.executable, "-c", "raise SystemExit('no such table')")
        with pytest.raises(ChildError, match="no such table"):
            run_step(Command(name="migrate", arguments=words, environment={}), folder, supervisor, timeout=30)

    def test_kills_a_step_that_takes_too_long(self, folder, supervisor):
        words = (sys.executable, "-c", "import signal; signal.pause()")
        with pytest.raises(ChildError):
            run_step(
                Command(name="migrate", arguments=words, environment={}), folder, supervisor, timeout=0.2
            )
        assert folder.recall("migrate") is None


class TestEndLeftovers:
    def kill_a_run(self, folder):
        run = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder.path)],
            cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert run.stdout
        group = int(run.stdout.readline())
        assert wait_until(lambda: len(group_members(group)) == 2, timeout=10)
        run.kill()
        run.communicate()
        return group

    def test_ends_the_children_of_a_killed_run(self, folder):
        group = self.kill_a_run(folder)
        assert end_leftovers(folder) == ["child"]
        assert group_members(group) == []
        assert folder.remembered() == []

    def test_ends_the_members_of_a_group_whose_leader_was_killed_as_well(self, folder):
        group = self.kill_a_run(folder)
        os.kill(group, signal.SIGKILL)
        assert wait_until(lambda: len(group_members(group)) == 1, timeout=5)
        assert len(end_leftovers(folder)) == 1
        assert group_members(group) == []

    def test_spares_a_stranger_that_got_an_old_id(self, folder):
        stranger = python("import signal; signal.pause()", DataFolder(folder.path / "other").claim())
        stranger.start()
        (folder.path / "run" / "web.json").write_text(
            f'{{"pid": {stranger.pid}, "started": "another boot 1"}}'
        )
        assert end_leftovers(folder) == []
        assert stranger.is_alive()
        stranger.end()


class TestOrphansOf:
    def test_are_only_those_of_this_data_folder(self, folder):
        child = start_pair(folder)
        record, _ = folder.recall("child")
        assert orphans_of(record, environment=("SMARTCOURSE_DATA", "/elsewhere")) == []
        assert len(orphans_of(record, environment=("SMARTCOURSE_DATA", str(folder.path)))) == 2
        child.end()
