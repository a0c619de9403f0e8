"""Whether a session stands, and who is behind it: asked by every request, so kept in the cache, which is never believed
against the database.

Whatever ends a session, or changes a person, first puts a mark of doubt into the cache, and commits then. Who finds the
mark asks the database; and what is filled in is filled in only where there is nothing, so no reader who was slow puts
back what was true before. So a process may die behind the commit, and a transaction that is rolled back has cost some
looks at the database. Where the cache could not be told, the session says so in its row, by the same transaction; while
there is such a row, nobody believes the cache. And what one Redis was told, another one, or the same started anew from
an old file, is not asked for: its run is a part of every name (docs/decisions/0016).
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Model
from redis.exceptions import RedisError

from accounts.models import Role, Session, User
from smartcourse.observability.metrics import Look, count_look

SESSION_KEPT, USER_KEPT = 24 * 3600, 15 * 60
# Longer than any request takes that may have read what was there before.
DOUBTED = 120
DOUBT = "?"
# How long a process believes that the cache was told of everything, and is the one it was, in seconds.
BELIEVED = 1.0
# So often a mark is made again when Redis was another one behind it than before.
TRIES = 3
# What is known of a person. The password is not, and is read from the database where it is asked for; what is encrypted
# there stands here as it does there.
KNOWN = (
    "id",
    "email",
    "full_name",
    "is_active",
    "is_staff",
    "is_superuser",
    "is_verified",
    "phone",
    "birth_date",
    "created_at",
)

Row = TypeVar("Row", bound=Model)

log = structlog.get_logger(__name__)


class _Trust:
    """Whether the cache answers, which it is, and that it was told of all that ended, as this process saw it last."""

    def __init__(self) -> None:
        self._until = self._rests_until = 0.0
        self.run = 0

    def withdraw(self) -> None:
        """Ask the cache nothing for a while: a cache that is silent costs every request its patience."""
        self._until, self._rests_until = 0.0, time.monotonic() + BELIEVED

    def is_worth_asking(self) -> bool:
        # Without Redis each process has a cache of its own, which no other could tell anything.
        return bool(settings.REDIS_URL) and time.monotonic() >= self._rests_until

    def holds(self) -> bool:
        if time.monotonic() < self._until:
            return True
        if Session.objects.untold().exists():
            return False
        self.run = _run_of_redis()
        self._until = time.monotonic() + BELIEVED
        return True


_trust = _Trust()


def session_behind(*, session_id: UUID, user_id: UUID, at: datetime) -> Session | None:
    """Return the person's session with the person, None where it does not stand (any more)."""
    known = _known(session_id, user_id)
    if known is not None:
        return known if known.expires_at > at else None
    session = Session.objects.live(at).select_related("user").filter(pk=session_id, user=user_id).first()
    if session is not None:
        _fill(session)
    return session


def _known(session_id: UUID, user_id: UUID) -> Session | None:
    """Return what the cache knows, None where it knows nothing, is in doubt, or is away."""
    session, user = _looked_up(f"session:{session_id}", f"user:{user_id}")
    if DOUBT in (session, user) or session["user"] != user_id:
        return None
    stood = _row(Session, {"id": session_id, "user_id": user_id, "expires_at": session["expires_at"]})
    stood.user = _row(User, {name: user[name] for name in KNOWN})
    stood.user.__dict__["roles"] = [Role(role) for role in user["roles"]]
    return stood


def _looked_up(*names: str) -> list[Any]:
    """Return what the cache has under these names, each a doubt where it has nothing, or is not to be believed."""
    found: dict[str, Any] = {}
    result: Look = "away"
    try:
        if _trust.is_worth_asking() and _trust.holds():
            found, result = cache.get_many(names, version=_trust.run), "miss"
    except RedisError as error:
        _cache_is_away(error)
    entries = [found.get(name, DOUBT) for name in names]
    for name, entry in zip(names, entries, strict=True):
        count_look(name.partition(":")[0], result if entry == DOUBT else "hit")
    return entries


def _row(model: type[Row], values: dict[str, Any]) -> Row:
    """Return the row with these values; any other of its fields is read from the database where it is asked for."""
    # Django pairs names and values by the order of the model's own fields.
    fields = model._meta.concrete_fields  # noqa: SLF001 - a documented part of Django (Model _meta API)
    names = [field.attname for field in fields if field.attname in values]
    return model.from_db("default", names, [values[name] for name in names])


def _run_of_redis() -> int:
    # A server that was started anew, or took over for another, says so (Redis: INFO, `run_id`).
    redis_cache: Any = cache
    client = redis_cache._cache.get_client(None)  # noqa: SLF001 - Django has no other way to its connection
    return int(client.info("server")["run_id"], 16)


def _fill(session: Session) -> None:
    if not _trust.is_worth_asking() or not _trust.run:
        return
    user = session.user
    # As they were loaded a moment ago: to ask for an attribute would decrypt it.
    known = {name: user.__dict__[name] for name in KNOWN} | {"roles": [role.value for role in user.roles]}
    stands = {"user": user.pk, "expires_at": session.expires_at}
    try:
        # Never over what is there: it may be a doubt about what was read here.
        cache.add(f"session:{session.pk}", stands, SESSION_KEPT, version=_trust.run)
        cache.add(f"user:{user.pk}", known, USER_KEPT, version=_trust.run)
    except RedisError as error:
        _cache_is_away(error)


def doubt_sessions(ids: Collection[UUID]) -> bool:
    """Have the cache believed no more about these sessions; False where it could not be told."""
    return _doubt({f"session:{pk}" for pk in ids}, SESSION_KEPT)


def doubt_user(*, user_id: UUID) -> None:
    """Have the cache believed no more, for a while, about what this person is."""
    if not _doubt({f"user:{user_id}"}, DOUBTED):
        # A person is in the cache by way of a session only.
        Session.objects.filter(user=user_id).update(is_told=False)


def _doubt(names: Collection[str], seconds: int) -> bool:
    if not settings.REDIS_URL:
        return True
    if not _mark(names, seconds):
        return False
    # And once more behind the commit: a flush in between would have let a reader fill in what was true before.
    transaction.on_commit(lambda: _mark(names, seconds), robust=True)
    return True


def _mark(names: Collection[str], seconds: int) -> bool:
    try:
        for _ in range(TRIES if names else 0):
            run = _run_of_redis()
            cache.set_many(dict.fromkeys(names, DOUBT), seconds, version=run)
            if _run_of_redis() == run:
                return True
    except RedisError as error:
        _cache_is_away(error)
    return not names


def _cache_is_away(error: RedisError) -> None:
    # What ends from now on may end without its knowledge.
    _trust.withdraw()
    log.warning("sessions are read from the database", error=type(error).__name__)


def tell_the_cache() -> int:
    """Tell the cache of the sessions that ended, and the people who changed, while it was away; return how many."""
    untold = list(Session.objects.untold().values_list("pk", "user", "revoked_at"))
    names = {f"user:{user}" for _, user, _ in untold}
    ended = {f"session:{pk}" for pk, _, revoked_at in untold if revoked_at}
    if not untold or not (_mark(names, DOUBTED) and _mark(ended, SESSION_KEPT)):
        return 0
    return Session.objects.filter(pk__in=[pk for pk, *_ in untold]).update(is_told=True)
