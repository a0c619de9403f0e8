"""Celery tasks of accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts import services


@shared_task(name="accounts.prune_sign_in_attempts", time_limit=300, soft_time_limit=280)
def prune_sign_in_attempts(**_newer: Any) -> None:
    services.prune_attempts(at=timezone.now())


@shared_task(name="accounts.tell_the_cache", time_limit=60, soft_time_limit=50)
def tell_the_cache(**_newer: Any) -> None:
    services.tell_the_cache()


@shared_task(name="accounts.prune_sessions", time_limit=300, soft_time_limit=280)
def prune_sessions(**_newer: Any) -> None:
    services.prune_sessions(at=timezone.now())


@shared_task(name="accounts.prune_sign_in_remains", time_limit=300, soft_time_limit=280)
def prune_sign_in_remains(**_newer: Any) -> None:
    services.prune_sign_in_remains(at=timezone.now())


@shared_task(name="accounts.answer_mail_request", time_limit=30, soft_time_limit=20)
def answer_mail_request(*, request_id: str, **_newer: Any) -> None:
    services.answer_mail_request(request_id=UUID(request_id), at=timezone.now())


@shared_task(name="accounts.sweep_mail_requests", time_limit=60, soft_time_limit=50)
def sweep_mail_requests(**_newer: Any) -> None:
    services.sweep_mail_requests(at=timezone.now())


@shared_task(name="accounts.prune_exports", time_limit=300, soft_time_limit=280)
def prune_exports(**_newer: Any) -> None:
    services.prune_exports(at=timezone.now())
