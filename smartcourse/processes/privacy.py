"""Privacy: a person has a copy of all that is held on them, or is erased everywhere.

What there is of a person in which room, each room says itself (`privacy.py` in each); so neither list of steps changes
when a table is added.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from tempfile import TemporaryFile
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts import services as accounts
from smartcourse.db.personal import erase_room, room_called, write_archive
from smartcourse.workflows.definitions import Step, StepContext, Wait, define
from smartcourse.workflows.models import Run


def gather(context: StepContext) -> None:
    now = timezone.now()
    person = accounts.person_of(request_id=context.subject_id)
    with TemporaryFile() as stream:
        counts = write_archive(stream, person=person, at=now)
        stream.seek(0)
        accounts.keep_export(request_id=context.subject_id, stream=stream, counts=counts, at=now)


def close_account(context: StepContext) -> None:
    accounts.close_for_erasure(request_id=context.subject_id, at=timezone.now())


def erase(room: str) -> Callable[[StepContext], None]:
    """Return the step that erases the person in that room."""

    def erase_here(context: StepContext) -> None:
        person = accounts.person_of(request_id=context.subject_id)
        counts = erase_room(room_called(room), person=person, at=timezone.now())
        accounts.note_erased(request_id=context.subject_id, counts=counts)

    return erase_here


def conclude(context: StepContext) -> None:
    accounts.conclude_erasure(request_id=context.subject_id, at=timezone.now())


def may_think_again(context: StepContext) -> bool:
    """Staff act on what they were asked for; and an erasure that had begun is not thought over once more."""
    return "at_once" not in context.data


def give_up(context: StepContext) -> None:
    accounts.fail_privacy_request(request_id=context.subject_id, at=timezone.now())


def try_again(run: Run) -> Run:
    return accounts.try_privacy_request_again(request_id=run.subject_id, at=timezone.now())


# It reads every file of the person, and the database hears nothing meanwhile.
define(
    "export",
    Step("gather", gather, silence=timedelta(minutes=2)),
    failed=give_up,
    again=try_again,
    about="accounts.PrivacyRequest",
)

# From the top down, for what a room does there (a seat given back) may tell those above; then the rooms that keep what
# others said; and accounts last, for until then its words are looked for everywhere else.
ROOMS = (
    "enrollments", "progress", "certificates", "courses", "notifications", "analytics", "webhooks",
    "workflows", "queues", "events", "api", "backoffice", "accounts",
)  # fmt: skip

# Nothing undoes a step: what is gone is gone. One that fails for good leaves the account closed and half empty, staff
# are told, and trying again goes over everything once more.
_erasing: list[Any] = [Step(f"erase_in_{room}", erase(room), silence=timedelta(minutes=2)) for room in ROOMS]
define(
    "erasure",
    Wait("think_again", timeout=settings.ERASURE_GRACE, when=may_think_again),
    Step("close_account", close_account),
    *_erasing,
    Step("conclude", conclude),
    failed=give_up,
    again=try_again,
    about="accounts.PrivacyRequest",
)
