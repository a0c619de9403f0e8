"""Sending what an endpoint is owed: claimed by a lease, sent outside of any transaction, recorded after."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from smartcourse.http.addresses import networks
from smartcourse.http.pinning import AddressRefused, NoAnswer, post
from smartcourse.webhooks.models import (
    PING,
    RESPONSE_CHARACTERS,
    DeliveryAttempt,
    DeliveryStatus,
    Endpoint,
    WebhookDelivery,
)
from smartcourse.webhooks.services.deliveries import wake
from smartcourse.webhooks.services.endpoints import disable_failing
from smartcourse.webhooks.signing import signed_headers

# A worker goes to the end of the queue after so many of one endpoint's deliveries, or so many seconds with it.
TURN = 20
TURN_SECONDS = 15
# Failures in a row after which an endpoint is left alone for a while, and then tried by one delivery at a time.
RESTS_AFTER = 3
JITTER = 0.1
GONE = 410

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Claim:
    """One delivery in this worker's hands, with all that is needed to send it."""

    delivery: WebhookDelivery
    endpoint: Endpoint


@dataclass(frozen=True)
class Outcome:
    """How an attempt went; `retry_after` is what the receiver asked for."""

    at: datetime
    duration_ms: int
    status_code: int | None = None
    response: str = ""
    error: str = ""
    retry_after: timedelta | None = None

    @property
    def taken(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300


def send_due(*, endpoint_id: UUID) -> int:
    """Send what the endpoint is owed, one after another for a turn, and return how many attempts were made.

    A worker that dies in between leaves a lease that runs out: the same message is then sent once more, by the same id.
    """
    ends_at, made = time.monotonic() + TURN_SECONDS, 0
    while claim := _claim(endpoint_id):
        _record(claim, _attempt(claim))
        made += 1
        if made >= TURN or time.monotonic() >= ends_at:
            # Others wait for this worker too.
            wake(endpoint_id)
            break
    return made


@transaction.atomic
def _claim(endpoint_id: UUID) -> Claim | None:
    """Lease the endpoint's next delivery; None where nothing is due, it rests, or enough is under way."""
    endpoint = (
        Endpoint.objects.enabled().select_for_update(of=("self",), no_key=True).filter(pk=endpoint_id).first()
    )
    if endpoint is None:
        return None
    endpoint.mark_awake()
    probing = endpoint.failures_in_a_row >= RESTS_AFTER
    if endpoint.deliveries.in_flight().count() >= (1 if probing else settings.WEBHOOKS_IN_FLIGHT):
        return None
    due = endpoint.deliveries.due().order_by("next_attempt_at", "pk")
    if endpoint.rests_until and endpoint.rests_until > timezone.now():
        due = due.by_hand()
    while delivery := due.first():
        if delivery.attempts < _attempts_of(delivery):
            delivery.lease(seconds=settings.WEBHOOK_LEASE_SECONDS)
            return Claim(delivery, endpoint)
        # The worker of its last attempt never came back.
        _log(delivery, Outcome(timezone.now(), 0, error="The attempt was broken off."))
        delivery.finish(DeliveryStatus.FAILED, at=timezone.now())
    return None


def _attempts_of(delivery: WebhookDelivery) -> int:
    # Who pings looks at the answer now; a ping that arrives tomorrow tells nobody anything.
    return 1 if delivery.fact_type == PING else 1 + len(settings.WEBHOOK_RETRY_SECONDS)


def _attempt(claim: Claim) -> Outcome:
    """Make one attempt, which ends within its deadline whatever the receiver does."""
    delivery, endpoint = claim.delivery, claim.endpoint
    at, started = timezone.now(), time.monotonic()
    signed = signed_headers(
        message_id=delivery.message_id, at=at, body=delivery.body, secrets=endpoint.signing_secrets(at=at)
    )
    try:
        answer = post(
            endpoint.url,
            body=delivery.body.encode(),
            headers={"Content-Type": "application/json", "User-Agent": "SmartCourse-Webhooks/1", **signed},
            deadline=settings.WEBHOOK_DEADLINE_SECONDS,
            https_only=settings.WEBHOOKS_HTTPS_ONLY,
            allowed=networks(settings.WEBHOOKS_ALLOWED_PRIVATE),
        )
    except (AddressRefused, NoAnswer) as error:
        return Outcome(at, _since(started), error=error.detail[:300])
    return Outcome(
        at,
        _since(started),
        answer.status,
        # PostgreSQL holds every character but one.
        answer.body[:RESPONSE_CHARACTERS].decode("utf-8", "replace").replace("\x00", ""),
        "It redirects, which is not followed." if 300 <= answer.status < 400 else "",
        _asked_to_wait(answer.headers.get("retry-after", ""), at=at),
    )


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _asked_to_wait(said: str, *, at: datetime) -> timedelta | None:
    """Return what Retry-After says (RFC 9110 §10.2.3: seconds, or a date), as far as it can be read."""
    try:
        if said.strip().isdecimal():
            return timedelta(seconds=min(int(said), 10**9))
        return parsedate_to_datetime(said) - at
    except (TypeError, ValueError, OverflowError):
        return None


@transaction.atomic
def _record(claim: Claim, outcome: Outcome) -> None:
    """Write down how the attempt went, unless the lease ran out and another worker has the delivery."""
    endpoint = Endpoint.objects.select_for_update(no_key=True).filter(pk=claim.endpoint.pk).first()
    held = {"pk": claim.delivery.pk, "lease_token": claim.delivery.lease_token}
    delivery = WebhookDelivery.objects.pending().select_for_update().filter(**held).first()
    if endpoint is None or delivery is None:
        return
    _log(delivery, outcome)
    if outcome.taken:
        delivery.finish(DeliveryStatus.SENT, at=timezone.now())
        endpoint.note_success()
        return
    log.info(
        "a webhook was not taken", delivery=str(delivery.pk), host=endpoint.host, attempt=delivery.attempts,
        status_code=outcome.status_code, error=outcome.error,
    )  # fmt: skip
    _put_off(delivery, outcome)
    _blame(endpoint, outcome)


def _log(delivery: WebhookDelivery, outcome: Outcome) -> None:
    DeliveryAttempt.objects.create(
        delivery=delivery,
        number=delivery.attempts,
        at=outcome.at,
        duration_ms=outcome.duration_ms,
        status_code=outcome.status_code,
        response=outcome.response,
        error=outcome.error,
    )


def _put_off(delivery: WebhookDelivery, outcome: Outcome) -> None:
    """Set the time of the next attempt, or give up after the last one."""
    now = timezone.now()
    if delivery.attempts >= _attempts_of(delivery) or outcome.status_code == GONE:
        delivery.finish(DeliveryStatus.FAILED, at=now)
        return
    patience = settings.WEBHOOK_RETRY_SECONDS
    own = patience[delivery.attempts - 1] * (1 + random.uniform(0, JITTER))  # noqa: S311 - spreads load, guards nothing
    asked = outcome.retry_after.total_seconds() if outcome.retry_after else 0
    delivery.wait(until=now + timedelta(seconds=max(own, min(asked, max(patience)))))


def _blame(endpoint: Endpoint, outcome: Outcome) -> None:
    """Leave an endpoint alone that keeps failing, and disable one that has failed for days or is gone."""
    now = timezone.now()
    rests = endpoint.failures_in_a_row + 1 >= RESTS_AFTER
    until = now + timedelta(seconds=settings.WEBHOOK_REST_SECONDS) if rests else None
    endpoint.note_failure(at=outcome.at, rests_until=until)
    since = endpoint.failing_since or now
    if outcome.status_code == GONE:
        disable_failing(endpoint, reason="It answered 410 Gone.", at=now)
    elif now - since >= timedelta(seconds=settings.WEBHOOK_DISABLE_AFTER_SECONDS):
        reason = f"It has taken nothing since {since:%d %B %Y, %H:%M} UTC."
        disable_failing(endpoint, reason=reason, at=now)
