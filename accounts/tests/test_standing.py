"""The cached look at a session: fast while nothing happens, and never believed against the database."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from accounts import services
from accounts.models import Role, Session
from accounts.services import standing
from accounts.tests.factories import PASSWORD
from accounts.tests.signing_in import ME, bearer, log_in
from smartcourse.embedded.binaries import valkey_program
from smartcourse.embedded.processes import free_port, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def trust() -> None:
    """A process that has seen nothing yet."""
    standing._trust.__init__()


@pytest.fixture
def client(student: Any) -> Any:
    """Somebody whom the cache knows."""
    return known(student)


def known(person: Any) -> Any:
    """Sign somebody in whom the cache knows from then on."""
    client = bearer(log_in(person)["access_token"])
    # Whose role was given a moment ago is still doubted.
    cache.delete(f"user:{person.pk}", version=standing._run_of_redis())
    # By the first, this process knows that the cache was told of everything; the next fills it.
    assert [client.get(ME).status_code for _ in range(3)] == [200, 200, 200]
    return client


@pytest.fixture
def away(settings: Any) -> Iterator[Any]:
    """Switches the cache off (nothing listens there) and on again."""

    def switch(*, off: bool) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            nowhere = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        # Assigned anew, so that Django makes its caches anew.
        settings.CACHES = {
            "default": {**settings.CACHES["default"], "LOCATION": nowhere if off else settings.REDIS_URL}
        }

    yield switch
    switch(off=False)


class TestKnownSession:
    def test_costs_no_query(self, client: Any, student: Any, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            answer = client.get(ME)
        assert answer.json()["id"] == str(student.pk)
        assert answer.json()["roles"] == ["student"]

    def test_keeps_no_password(self, client: Any, student: Any) -> None:
        entry = cache.get(f"user:{student.pk}", version=standing._run_of_redis())
        assert entry["email"] == student.email
        assert student.password not in str(entry)
        session = Session.objects.get()
        stood = services.session_behind(session_id=session.pk, user_id=student.pk, at=timezone.now())
        assert stood is not None
        assert stood.user.check_password(PASSWORD)

    def test_ends_in_its_time(self, client: Any, student: Any) -> None:
        session = Session.objects.get()
        late = session.expires_at + timedelta(seconds=1)
        assert services.session_behind(session_id=session.pk, user_id=student.pk, at=late) is None

    def test_of_one_is_not_anothers(self, client: Any, student: Any, stranger: Any) -> None:
        bearer(log_in(stranger)["access_token"]).get(ME)
        theirs = Session.objects.get(user=stranger)
        assert services.session_behind(session_id=theirs.pk, user_id=student.pk, at=timezone.now()) is None


class TestEnd:
    @pytest.mark.parametrize(
        "deed",
        [
            lambda user, admin: services.end_all_sessions(user_id=user.pk, at=timezone.now()),
            lambda user, admin: services.end_session(
                session_id=Session.objects.get(user=user).pk, at=timezone.now()
            ),
            lambda user, admin: services.set_password(
                user_id=user.pk, password="staple battery horse", at=timezone.now()
            ),
            lambda user, admin: services.deactivate_user(user_id=user.pk, by=admin, at=timezone.now()),
            lambda user, admin: services.grant_role(user_id=user.pk, role=Role.STAFF, by=admin),
        ],
        ids=["all", "one", "password", "deactivated", "role"],
    )
    def test_is_effective_on_the_next_request(
        self, client: Any, student: Any, administrator: Any, deed: Any
    ) -> None:
        deed(student, administrator)
        assert client.get(ME).json()["code"] == "token_revoked"
        # And a reader who was slow, and comes with what was true before, changes nothing.
        session = Session.objects.select_related("user").get(user=student)
        standing._fill(session)
        assert client.get(ME).json()["code"] == "token_revoked"

    def test_that_is_taken_back_costs_nobody_the_session(self, client: Any, student: Any) -> None:
        with transaction.atomic():
            services.end_all_sessions(user_id=student.pk, at=timezone.now())
            transaction.set_rollback(True)
        assert client.get(ME).status_code == 200

    def test_outlives_a_flush(self, client: Any, student: Any) -> None:
        services.end_all_sessions(user_id=student.pk, at=timezone.now())
        cache.clear()
        assert client.get(ME).json()["code"] == "token_revoked"


class TestChange:
    def test_of_the_name_is_seen_at_once(self, client: Any, student: Any) -> None:
        services.update_profile(user_id=student.pk, full_name="Another Name")
        assert client.get(ME).json()["full_name"] == "Another Name"

    def test_past_every_service_is_seen_at_once_too(self, client: Any, student: Any) -> None:
        student.is_active = False
        student.save()
        assert client.get(ME).json()["code"] == "inactive_user"

    def test_of_groups_is_seen_at_once(self, client: Any, student: Any) -> None:
        student.groups.clear()
        assert client.get(ME).json()["roles"] == []


class TestWithoutRedis:
    def test_sessions_are_read_from_the_database(self, client: Any, student: Any, away: Any) -> None:
        away(off=True)
        assert client.get(ME).status_code == 200
        services.end_all_sessions(user_id=student.pk, at=timezone.now())
        assert client.get(ME).json()["code"] == "token_revoked"

    def test_what_ended_meanwhile_stays_ended_when_it_is_back_with_what_it_knew(
        self, client: Any, student: Any, away: Any, django_assert_num_queries: Any
    ) -> None:
        away(off=True)
        services.end_all_sessions(user_id=student.pk, at=timezone.now())
        away(off=False)
        standing._trust.__init__()
        entry = cache.get(f"session:{Session.objects.get().pk}", version=standing._run_of_redis())
        assert entry["user"] == student.pk
        assert client.get(ME).json()["code"] == "token_revoked"
        # Told of it, the cache is believed again.
        assert services.tell_the_cache() == 1
        assert services.tell_the_cache() == 0
        assert client.get(ME).json()["code"] == "token_revoked"
        standing._trust.__init__()
        other = known(student)
        with django_assert_num_queries(0):
            assert other.get(ME).status_code == 200

    def test_who_changed_meanwhile_is_not_who_the_cache_knows(
        self, client: Any, student: Any, away: Any
    ) -> None:
        away(off=True)
        student.groups.clear()
        away(off=False)
        standing._trust.__init__()
        assert client.get(ME).json()["roles"] == []
        assert services.tell_the_cache() == 1
        assert client.get(ME).json()["roles"] == []

    def test_a_cache_of_the_process_alone_is_never_asked(
        self, client: Any, settings: Any, django_assert_max_num_queries: Any
    ) -> None:
        settings.REDIS_URL = ""
        Session.objects.update(revoked_at=timezone.now())
        assert client.get(ME).json()["code"] == "token_revoked"


class OwnRedis:
    """A server that keeps what it knows where it is told to, and can be killed and started anew from that."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = folder
        self.client = redis.Redis.from_url(self.url)
        self.start()

    def start(self) -> None:
        given = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        self._process = subprocess.Popen([str(valkey_program()), *given], stdout=subprocess.DEVNULL)
        assert wait_until(self._answers, timeout=10)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


@pytest.fixture
def own_redis(settings: Any, tmp_path: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": server.url}}
    yield server
    server.kill()


def test_what_an_older_file_says_is_not_believed(student: Any, own_redis: OwnRedis) -> None:
    client = known(student)
    entry = f"session:{Session.objects.get().pk}"
    run = standing._run_of_redis()
    own_redis.client.save()
    services.end_all_sessions(user_id=student.pk, at=timezone.now())
    own_redis.kill()
    own_redis.start()
    assert cache.get(entry, version=run)["user"] == student.pk
    standing._trust.__init__()
    assert client.get(ME).json()["code"] == "token_revoked"


@pytest.mark.django_db(transaction=True)
def test_a_flush_before_the_commit_lets_nobody_back_in(student: Any) -> None:
    client = known(student)

    def read() -> None:
        assert client.get(ME).status_code == 200
        connection.close()

    with transaction.atomic():
        services.end_all_sessions(user_id=student.pk, at=timezone.now())
        cache.clear()
        # Somebody who does not see the end yet, for it is not committed, fills the cache in again.
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(30)
    assert client.get(ME).json()["code"] == "token_revoked"


@pytest.mark.django_db(transaction=True)
def test_readers_at_once_never_let_an_ended_session_back_in(student: Any) -> None:
    token = log_in(student)["access_token"]
    ended = threading.Event()
    late: list[int] = []

    def read() -> None:
        client = bearer(token)
        for _ in range(30):
            was_ended = ended.is_set()
            status = client.get(ME).status_code
            if was_ended:
                late.append(status)
        connection.close()

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    services.end_all_sessions(user_id=student.pk, at=timezone.now())
    ended.set()
    for reader in readers:
        reader.join(60)
    assert late
    assert set(late) == {401}
