"""A copy of all that is held on a person: asked for, kept for some days, had by a short-lived link."""

from __future__ import annotations

from datetime import datetime
from typing import IO
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from accounts.events import UserExportPrepared
from accounts.models import PrivacyRequest, PrivacyRequestKind, PrivacyRequestStatus, User
from smartcourse.db.personal import Person
from smartcourse.errors import Conflict, NotFound
from smartcourse.events.outbox import publish
from smartcourse.workflows import services as workflows
from smartcourse.workflows.models import Run

LINK_SALT = "accounts.export-link"
PRUNE_BATCH = 100


class ExportNotReady(Conflict):
    """The export is being made, has failed, or was deleted after its time."""

    code = "invalid_state"
    message = "There is no file to be had: the export is not ready, or was deleted after its time."


class ExportLinkInvalid(NotFound):
    """The link to an export was tampered with, or its time is over."""

    code = "link_expired"
    message = "This link does not work any more. Ask for a new one."


@transaction.atomic
def request_export(*, user_id: UUID, at: datetime) -> PrivacyRequest:
    """Have a copy made of all that is held on the person; one that is being made already is returned instead."""
    # The person's row: of two requests at once the second finds the first.
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
    if waiting := PrivacyRequest.objects.exports().open().filter(user=user_id).first():
        return waiting
    request = PrivacyRequest.objects.create(
        user_id=user_id, requested_by_id=user_id, kind=PrivacyRequestKind.EXPORT, due_at=at
    )
    start_export(request=request)
    return request


def start_export(*, request: PrivacyRequest) -> Run:
    """Start the process that makes the copy; once more, where it has failed."""
    run = workflows.start(
        "export", subject=request.pk, key=str(request.pk), requested_by=request.requested_by_id
    )
    request.follow(run.pk)
    return run


def keep_export(*, request_id: UUID, stream: IO[bytes], counts: dict[str, int], at: datetime) -> None:
    """Keep the copy, and have its owner told; what a former try left in the storage is written over."""
    request = PrivacyRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    # An erasure has begun meanwhile: nobody is left to have it.
    if not request.is_open:
        return
    name = f"{request.pk}.zip"
    default_storage.delete(f"exports/{name}")
    request.archive.save(name, File(stream), save=False)
    request.counts = counts
    request.finish(PrivacyRequestStatus.DONE, at=at, expires_at=at + settings.EXPORT_KEPT)
    publish(UserExportPrepared(user_id=request.user_id, request_id=request.pk, occurred_at=at))


def export_link(*, request: PrivacyRequest) -> str:
    """Return a link to the export that works for a few minutes, without any log-in.

    Raises:
        ExportNotReady: there is no file.
    """
    if not request.is_ready:
        raise ExportNotReady
    if not isinstance(default_storage, FileSystemStorage):
        # The object store signs links of its own, as attachments.
        headers = {"ResponseContentDisposition": 'attachment; filename="export.zip"'}
        seconds = int(settings.EXPORT_LINK_LIFETIME.total_seconds())
        return str(default_storage.url(request.archive.name, parameters=headers, expire=seconds))  # type: ignore[call-arg]  # S3Storage's
    signature = signing.TimestampSigner(salt=LINK_SALT).sign(str(request.pk)).split(":", 1)[1]
    return f"{reverse('export-content', kwargs={'pk': request.pk})}?{urlencode({'signature': signature})}"


def open_export(*, request_id: UUID, signature: str) -> PrivacyRequest:
    """Return the export that a link from `export_link` leads to.

    Raises:
        ExportLinkInvalid: the link was tampered with, is too old, or the export was deleted since.
    """
    try:
        signing.TimestampSigner(salt=LINK_SALT).unsign(
            f"{request_id}:{signature}", max_age=settings.EXPORT_LINK_LIFETIME
        )
    except signing.BadSignature as error:
        raise ExportLinkInvalid from error
    request = PrivacyRequest.objects.exports().filter(pk=request_id).first()
    if request is None or not request.is_ready:
        raise ExportLinkInvalid
    return request


def exports_of(person: Person) -> QuerySet[PrivacyRequest]:
    """Return the exports of a person of which there is a file."""
    return PrivacyRequest.objects.exports().filter(user=person.id).exclude(archive="")


def prune_exports(*, at: datetime) -> int:
    """Delete the exports that were kept for as long as they are, and return how many."""
    pruned = 0
    while True:
        with transaction.atomic():
            old = PrivacyRequest.objects.outlived(at).select_for_update(skip_locked=True, of=("self",))
            batch = list(old[:PRUNE_BATCH])
            for request in batch:
                request.expire()
        pruned += len(batch)
        if len(batch) < PRUNE_BATCH:
            return pruned
