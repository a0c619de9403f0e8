"""Becoming an instructor: asked for, and decided by staff."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import policies
from accounts.events import UserInstructorApplied, UserInstructorApproved, UserInstructorRejected
from accounts.models import ApplicationStatus, InstructorApplication, Role, User
from accounts.services.people import NotOneself, grant_role
from smartcourse.errors import Conflict, FieldError, Invalid, NotAllowed, NotFound
from smartcourse.events.outbox import publish


class AlreadyInstructor(Conflict):
    """The person teaches already."""

    code = "invalid_state"
    message = "You are an instructor already."


class ApplicationOpen(Conflict):
    """The person has applied, and nobody has decided yet."""

    code = "duplicate"
    message = "Your application is waiting for an answer."


class ApplicationNotFound(NotFound):
    """There is no such application."""


class ApplicationDecided(Conflict):
    """Somebody has said yes or no to it."""

    code = "invalid_state"
    message = "This application has been decided already."


class RejectionWithoutReason(Invalid):
    """Who is refused is told why."""

    message = "A rejection needs a reason."


@transaction.atomic
def apply_as_instructor(*, user_id: UUID, statement: str, at: datetime) -> InstructorApplication:
    """Ask to be let teach; who was refused may ask again.

    Raises:
        AlreadyInstructor: the person is one.
        ApplicationOpen: the person has asked, and waits for the answer.
    """
    user: User = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
    if user.has_role(Role.INSTRUCTOR):
        raise AlreadyInstructor
    if InstructorApplication.objects.open().filter(user=user).exists():
        raise ApplicationOpen
    application = InstructorApplication.objects.create(user=user, statement=statement)
    publish(UserInstructorApplied(user_id=user_id, application_id=application.pk, occurred_at=at))
    return application


@transaction.atomic
def approve_application(
    *, application_id: UUID, by: User, reason: str = "", at: datetime
) -> InstructorApplication:
    """Let the person teach: they have the role from the next log-in on, and a profile.

    Raises:
        NotAllowed: `by` is no staff.
        NotOneself: `by` is the person.
        ApplicationNotFound: there is none.
        ApplicationDecided: somebody said yes or no before.
    """
    application = _to_be_decided(application_id, by)
    application.decide(ApplicationStatus.APPROVED, by=by, reason=reason, at=at)
    grant_role(user_id=application.user_id, role=Role.INSTRUCTOR, by=by)
    publish(
        UserInstructorApproved(user_id=application.user_id, application_id=application.pk, occurred_at=at)
    )
    return application


@transaction.atomic
def reject_application(*, application_id: UUID, by: User, reason: str, at: datetime) -> InstructorApplication:
    """Say no, and why.

    Raises:
        NotAllowed: `by` is no staff.
        NotOneself: `by` is the person.
        ApplicationNotFound: there is none.
        ApplicationDecided: somebody said yes or no before.
        RejectionWithoutReason: nothing is said.
    """
    if not reason.strip():
        raise RejectionWithoutReason(
            errors=[FieldError("reason", "required", RejectionWithoutReason.message)]
        )
    application = _to_be_decided(application_id, by)
    application.decide(ApplicationStatus.REJECTED, by=by, reason=reason.strip(), at=at)
    publish(
        UserInstructorRejected(user_id=application.user_id, application_id=application.pk, occurred_at=at)
    )
    return application


def _to_be_decided(application_id: UUID, by: User) -> InstructorApplication:
    if not policies.can_decide_applications(by):
        raise NotAllowed
    application = (
        InstructorApplication.objects.select_for_update(of=("self",)).filter(pk=application_id).first()
    )
    if application is None:
        raise ApplicationNotFound
    if application.user_id == by.pk:
        raise NotOneself
    if not application.is_open:
        raise ApplicationDecided
    return application


def decision_on(*, application_id: UUID) -> str:
    """Return what staff said to it, for the mail: a person's words never ride in a fact."""
    reason: str = InstructorApplication.objects.values_list("reason", flat=True).get(pk=application_id)
    return reason
