"""Valkey as a child."""

import os
import signal
import stat
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from smartcourse.embedded.datafolder import DataFolder
from smartcourse.embedded.processes import wait_until
from smartcourse.embedded.valkey import start_valkey, valkey_url


@pytest.fixture
def valkey(tmp_path):
    child = start_valkey(DataFolder(tmp_path / "data").claim())
    yield child
    child.end()


class TestStartValkey:
    def test_lets_nobody_in_without_the_password(self, valkey):
        with redis.Redis.from_url(str(valkey_url(valkey.folder))) as client:
            assert client.ping()
        with (
            redis.Redis(port=valkey.command.record["port"], retry=Retry(NoBackoff(), 0)) as stranger,
            pytest.raises(redis.exceptions.AuthenticationError),
        ):
            stranger.ping()

    def test_shows_the_password_to_no_other_user(self, valkey):
        password = (valkey.folder.path / "valkey_password").read_text()
        assert stat.S_IMODE((valkey.folder.path / "valkey_password").stat().st_mode) == 0o600
        assert not any(password in word for word in valkey.command.arguments)

    def test_has_no_address_once_it_is_dead_and_the_same_when_it_is_back(self, valkey):
        url = valkey_url(valkey.folder)
        os.kill(valkey.pid, signal.SIGKILL)
        assert wait_until(lambda: not valkey.is_alive(), timeout=5)
        assert valkey_url(valkey.folder) is None
        valkey.start()
        assert wait_until(lambda: valkey_url(valkey.folder) == url, timeout=5)

    def test_writes_nothing_down(self, valkey):
        with redis.Redis.from_url(str(valkey_url(valkey.folder))) as client:
            client.set("hint", "1")
            client.shutdown()
        assert wait_until(lambda: not valkey.is_alive(), timeout=5)
        assert list(Path(valkey.folder.path / "valkey").iterdir()) == []
