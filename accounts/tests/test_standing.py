"""The cached look at a session: fast while nothing happens, and never believed against the database."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from accounts import services
from accounts.models import Role, Session
from accounts.services import standing
from accounts.tests.factories import PASSWORD
from accounts.tests.signing_in import ME, bearer, log_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def trust() -> None:
    """A process that has seen nothing yet."""
    standing._trust.__init__()


@pytest.fixture
def client(student: Any) -> Any:
    """Somebody whom the cache knows."""
    client = bearer(log_in(student)["access_token"])
    # Whose role was given a moment ago is still doubted.
    cache.delete(f"user:{student.pk}")
    # The first fills the cache; by the second, this process knows that the cache was told of everything.
    assert [client.get(ME).status_code for _ in range(2)] == [200, 200]
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
        known = cache.get(f"user:{student.pk}")
        assert student.password not in str(known)
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
        assert cache.get(f"session:{Session.objects.get().pk}") != standing.DOUBT
        assert client.get(ME).json()["code"] == "token_revoked"
        # Told of it, the cache is believed again.
        assert services.tell_the_cache() == 1
        assert services.tell_the_cache() == 0
        assert client.get(ME).json()["code"] == "token_revoked"
        other = bearer(log_in(student)["access_token"])
        cache.delete(f"user:{student.pk}")
        standing._trust.__init__()
        assert [other.get(ME).status_code for _ in range(2)] == [200, 200]
        with django_assert_num_queries(0):
            assert other.get(ME).status_code == 200

    def test_a_cache_of_the_process_alone_is_never_asked(
        self, client: Any, settings: Any, django_assert_max_num_queries: Any
    ) -> None:
        settings.REDIS_URL = ""
        Session.objects.update(revoked_at=timezone.now())
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
