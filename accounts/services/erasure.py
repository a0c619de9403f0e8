"""The end of an account: asked for, thought over, and then nobody is behind its row any more.

The row stays, for others' records point to it, with nothing in it that says whose it was (docs/decisions/0018).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session as BrowserSession
from django.db import transaction
from django.db.models import QuerySet

from accounts import policies
from accounts.events import UserErased, UserErasureRequested
from accounts.models import EmailChange, PrivacyRequest, PrivacyRequestKind, PrivacyRequestStatus, Role, User
from accounts.services.api_keys import revoke_api_keys_of
from accounts.services.exports import start_export
from accounts.services.people import NotOneself, check_present_password
from accounts.services.sessions import end_all_sessions
from smartcourse.db.personal import Person
from smartcourse.errors import Conflict, Invalid, NotAllowed, NotFound, RuleViolated
from smartcourse.events.outbox import publish
from smartcourse.workflows import services as workflows
from smartcourse.workflows.models import Run


class LastAdministrator(RuleViolated):
    """Nobody would be left who decides who runs the place."""

    code = "last_administrator"
    message = "The last administrator cannot be erased. Make somebody else an administrator first."


class NoErasure(NotFound):
    """Nobody has asked for an erasure, or it was cancelled."""

    message = "No erasure of this account is under way."


class ErasureUnderWay(Conflict):
    """It has begun, so it cannot be taken back."""

    code = "invalid_state"
    message = "The erasure has begun and cannot be taken back."


class NothingToTryAgain(Conflict):
    """It was answered or taken back, or asked for once more since."""

    code = "invalid_state"
    message = "This request was answered or taken back, or made once more since."


class ReasonMissing(Invalid):
    """Nobody ends another's account without saying why."""

    message = "Please give a reason."


def request_erasure(*, user_id: UUID, current_password: str, at: datetime) -> PrivacyRequest:
    """Have one's account erased after a while in which one may think again; asked twice, it is the first that counts.

    Raises:
        WrongPassword: it is not the person's.
        LockedOut: too many were wrong.
        LastAdministrator: nobody else is one.
    """
    check_present_password(user_id=user_id, password=current_password, at=at)
    return _request(user_id=user_id, by_id=user_id, reason="", due_at=at + settings.ERASURE_GRACE, at=at)


def erase_user(*, user_id: UUID, by: User, reason: str, at: datetime) -> PrivacyRequest:
    """Have a person's account erased at once, who has asked for it otherwise than by the API; administrators do.

    Raises:
        NotAllowed: `by` is no administrator.
        NotOneself: `by` is the person.
        ReasonMissing: none is given.
        LastAdministrator: nobody else is one.
        ErasureUnderWay: one begins at this very moment.
    """
    if not policies.is_administrator(by):
        raise NotAllowed
    if by.pk == user_id:
        raise NotOneself
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic():
        # What its owner still thinks over is not waited for. Its process is locked before the person, as its steps do.
        waiting = PrivacyRequest.objects.erasures().open().filter(user=user_id).first()
        if waiting is not None and waiting.may_be_cancelled:
            _cancel(waiting, at=at)
        return _request(user_id=user_id, by_id=by.pk, reason=reason.strip()[:500], due_at=at, at=at)


@transaction.atomic
def _request(*, user_id: UUID, by_id: UUID, reason: str, due_at: datetime, at: datetime) -> PrivacyRequest:
    user: User = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
    waiting = PrivacyRequest.objects.erasures().filter(user=user_id)
    if found := waiting.filter(status=PrivacyRequestStatus.DONE).first() or waiting.open().first():
        return found
    if user.has_role(Role.ADMIN) and not _other_administrators(user).exists():
        raise LastAdministrator
    request = PrivacyRequest.objects.create(
        user=user, requested_by_id=by_id, kind=PrivacyRequestKind.ERASURE, reason=reason, due_at=due_at
    )
    start_erasure(request=request, at=at)
    if due_at > at:
        publish(UserErasureRequested(user_id=user_id, request_id=request.pk, due_at=due_at, occurred_at=at))
    return request


def _other_administrators(user: User) -> QuerySet[User]:
    others: QuerySet[User] = User.objects.active().with_role(Role.ADMIN).exclude(pk=user.pk)
    return others


def start_erasure(*, request: PrivacyRequest, at: datetime) -> Run:
    """Start the process that erases: at once where there is nothing left to be thought over."""
    run = workflows.start(
        "erasure",
        subject=request.pk,
        key=str(request.pk),
        requested_by=request.requested_by_id,
        data={"at_once": True} if request.due_at <= at else {},
    )
    request.follow(run.pk)
    return run


def erasure_of(*, user_id: UUID) -> PrivacyRequest:
    """Return the erasure that the person waits for.

    Raises:
        NoErasure: there is none.
    """
    request = PrivacyRequest.objects.erasures().open().filter(user=user_id).first()
    if request is None:
        raise NoErasure
    return request


@transaction.atomic
def cancel_erasure(*, user_id: UUID, at: datetime) -> PrivacyRequest:
    """Take it back: the account stays as it is.

    Raises:
        NoErasure: nobody has asked for one.
        ErasureUnderWay: it has begun.
    """
    return _cancel(erasure_of(user_id=user_id), at=at)


def _cancel(request: PrivacyRequest, *, at: datetime) -> PrivacyRequest:
    # The process first, as its steps do: a step that is being done is done first, and says here that it has begun.
    if request.workflow_id is not None:
        workflows.cancel(request.workflow_id, reason="Its owner thought again.")
    locked = PrivacyRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if not locked.may_be_cancelled:
        raise ErasureUnderWay
    locked.finish(PrivacyRequestStatus.CANCELLED, at=at)
    return locked


def person_of(*, request_id: UUID) -> Person:
    """Return whom a request is about, with the words by which texts may name them: the name, and every address.

    An address that was wanted and never confirmed may be a stranger's.
    """
    user: User = PrivacyRequest.objects.select_related("user").get(pk=request_id).user
    if user.email == erased_address(user.pk):
        return Person(user.pk)
    former = EmailChange.objects.filter(user=user.pk, confirmed_at__isnull=False).values_list(
        "old_email", flat=True
    )
    return Person(user.pk, tuple(sorted({user.email, *former})), user.full_name)


def erased_address(user_id: UUID) -> str:
    """Return what stands in the place of an address, which is free again; nobody mails `.invalid` (RFC 2606)."""
    return f"erased-{user_id}@erased.invalid"


def close_for_erasure(*, request_id: UUID, at: datetime) -> None:
    """Close the account for good: no log-in, session or key opens it any more; nothing of it is gone yet."""
    request = PrivacyRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    user: User = User.objects.select_for_update(of=("self",)).get(pk=request.user_id)
    request.begin()
    user.vacate(at=at)
    revoke_api_keys_of(user_id=user.pk, at=at)
    end_all_sessions(user_id=user.pk, at=at)
    end_browser_sessions(user_id=user.pk)
    # Whatever else was asked for is not waited for any more.
    others = PrivacyRequest.objects.exports().open().filter(user=user.pk)
    others.update(status=PrivacyRequestStatus.CANCELLED, finished_at=at)


def end_browser_sessions(*, user_id: UUID) -> None:
    """End the sessions at the back office; whose they are is in their sealed data alone, so each is looked into."""
    theirs = [
        session.pk
        for session in BrowserSession.objects.iterator()
        if session.get_decoded().get("_auth_user_id") == str(user_id)
    ]
    BrowserSession.objects.filter(pk__in=theirs).delete()


def note_erased(*, request_id: UUID, counts: dict[str, int]) -> None:
    """Set down how many rows of which table were erased, for the eyes of staff."""
    PrivacyRequest.objects.select_for_update(of=("self",)).get(pk=request_id).note(counts)


def conclude_erasure(*, request_id: UUID, at: datetime) -> None:
    """Tell everybody who keeps something of the person that they are to forget it too."""
    request = PrivacyRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    request.finish(PrivacyRequestStatus.DONE, at=at)
    publish(UserErased(user_id=request.user_id, occurred_at=at))


@transaction.atomic
def fail_privacy_request(*, request_id: UUID, at: datetime) -> None:
    """Note that a process gave up; an erasure that had begun leaves the account closed, and is tried again by staff."""
    request = PrivacyRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    # What was taken back is undone too, and stays what it is.
    if request.is_open:
        request.finish(PrivacyRequestStatus.FAILED, at=at)


@transaction.atomic
def try_privacy_request_again(*, request_id: UUID, at: datetime) -> Run:
    """Start again the process of a request that it gave up.

    Raises:
        NothingToTryAgain: it was answered, or taken back.
    """
    request = PrivacyRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    others = PrivacyRequest.objects.open().filter(user=request.user_id, kind=request.kind)
    if request.status != PrivacyRequestStatus.FAILED or others.exists():
        raise NothingToTryAgain
    request.reopen()
    if request.kind == PrivacyRequestKind.EXPORT:
        return start_export(request=request)
    return start_erasure(request=request, at=at)
