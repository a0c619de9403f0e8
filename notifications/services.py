"""Telling people: written first, sent after, retried until it left or was given up."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone

from accounts import services as accounts
from notifications.channels import Words, channel_called
from notifications.events import NotificationFailed, NotificationSent
from notifications.kinds import KINDS
from notifications.models import Channel, Message, MessageStatus, MessageType
from smartcourse.db.clock import ever_later, later
from smartcourse.events.facts import Fact
from smartcourse.events.outbox import publish
from smartcourse.queues.dispatch import enqueue

SWEEP_LIMIT = 500
# Of a message to very many, so many are written by one statement, and kept in memory at a time.
RECIPIENTS_AT_ONCE = 500
ALERT_INTERVAL = timedelta(hours=1)
FOLDERS = {Channel.MAIL: "mail", Channel.IN_APP: "in_app"}

log = structlog.get_logger(__name__)


def notify(
    *,
    fact: Fact,
    type: MessageType,  # noqa: A002 - the message's own word
    recipient_id: UUID,
    context: Mapping[str, Any],
) -> list[Message]:
    """Write one message a channel of that type, and hand them to be sent; what the fact already caused is left alone.

    Who was erased meanwhile is told nothing.
    `context` fills the templates, and is kept as the message's `data` for apps to act on: JSON values, no secrets.
    """
    messages: list[Message] = []
    if not accounts.is_reachable(user_id=recipient_id):
        return messages
    with transaction.atomic():
        for channel in KINDS[type].channels:
            words = _write(type, channel, context)
            message, created = Message.objects.get_or_create(
                fact_id=fact.fact_id,
                type=type,
                recipient_id=recipient_id,
                channel=channel,
                defaults={
                    "title": words.title[:255],
                    "body": words.body,
                    "data": dict(context),
                    "next_attempt_at": later(settings.MESSAGE_REDISPATCH_SECONDS),
                },
            )
            messages.append(message)
            if created:
                _hand_over(message)
    return messages


def _hand_over(message: Message) -> None:
    """Have a worker send it; what has arrived by being written needs none."""
    if message.channel == Channel.IN_APP:
        _leave(message)
    else:
        enqueue("notifications.send_message", queue="emails", message_id=str(message.pk))


def _leave(message: Message) -> None:
    channel_called(message.channel).send(message, _with_secrets(message))
    message.mark_sent(at=timezone.now())
    publish(NotificationSent(**_described(message)))


def notify_many(
    *,
    fact: Fact,
    type: MessageType,  # noqa: A002 - the message's own word
    recipient_ids: Iterable[UUID],
    context: Mapping[str, Any],
) -> int:
    """Write the same words to each of very many people, in batches, and return to how many; once per fact as ever.

    They are not handed over one by one: they are due at once, and the sweeper sends them at its own pace, so that a
    course of tens of thousands neither fills the queue before everybody else's mails nor the memory of this worker.
    """
    words = {channel: _write(type, channel, context) for channel in KINDS[type].channels}
    told, recipients = 0, iter(recipient_ids)
    with transaction.atomic():
        while batch := list(islice(recipients, RECIPIENTS_AT_ONCE)):
            Message.objects.bulk_create(
                [
                    Message(
                        fact_id=fact.fact_id, type=type, recipient_id=recipient_id, channel=channel,
                        title=said.title[:255], body=said.body, data=dict(context), next_attempt_at=Now(),
                    )
                    for recipient_id in batch
                    for channel, said in words.items()
                ],
                ignore_conflicts=True,
            )  # fmt: skip
            told += len(batch)
    return told


def was_alerted(*, fact: Fact, recipient_id: UUID, like: Mapping[str, str]) -> bool:
    """Tell whether another fact had the person alerted to something like this within the last hour."""
    alerts = Message.objects.filter(recipient=recipient_id, type=MessageType.OPERATIONS_ALERT)
    recent = alerts.filter(created_at__gt=timezone.now() - ALERT_INTERVAL, data__contains=dict(like))
    return recent.exclude(fact_id=fact.fact_id).exists()


def _write(kind: MessageType, channel: Channel, context: Mapping[str, Any]) -> Words:
    """Render the template of that type and channel: its first line is the title, the rest the body."""
    text = render_to_string(f"{FOLDERS[channel]}/{kind}.txt", {**context, "public_url": settings.PUBLIC_URL})
    title, _, body = text.strip().partition("\n")
    return Words(title.strip(), body.strip())


def send_message(*, message_id: UUID) -> bool:
    """Send the message if it is still to be sent, and return whether it left now.

    Its row is locked while it is being sent, so that no second worker sends it too. A worker that dies between the
    server's answer and the commit causes one duplicate at most, which carries the same Message-ID.
    """
    try:
        with transaction.atomic():
            message = (
                Message.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(pk=message_id, status=MessageStatus.PENDING)
                .first()
            )
            if message is None:
                return False
            _leave(message)
    except Exception as error:  # noqa: BLE001 - whatever a channel raises is kept with its message and retried
        _record_failure(message_id, error)
        return False
    return True


def _with_secrets(message: Message) -> Words:
    body = message.body
    for name, secret in KINDS[MessageType(message.type)].secrets.items():
        if f"[[{name}]]" in body:
            body = body.replace(f"[[{name}]]", secret(message))
    return Words(message.title, body)


def _record_failure(message_id: UUID, error: Exception) -> None:
    with transaction.atomic():
        message = Message.objects.select_for_update(of=("self",)).get(pk=message_id)
        if message.status != MessageStatus.PENDING:
            return
        reason = "".join(traceback.format_exception_only(error))[-2000:]
        if message.attempts < len(settings.MESSAGE_RETRY_SECONDS):
            message.wait(reason=reason, seconds=settings.MESSAGE_RETRY_SECONDS[message.attempts])
        else:
            message.give_up(reason=reason)
            publish(NotificationFailed(**_described(message)))
    log.error("a message could not be sent", message=str(message_id), channel=message.channel, error=reason)


def _described(message: Message) -> dict[str, Any]:
    return {
        "message_id": message.pk,
        "recipient_id": message.recipient_id,
        "message_type": message.type,
        "channel": message.channel,
    }


def sweep_messages() -> int:
    """Hand over again the messages that are due, and return how many: retries, and what was lost on the way."""
    with transaction.atomic():
        due = list(
            Message.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(status=MessageStatus.PENDING, next_attempt_at__lte=Now())
            .order_by("next_attempt_at")
            .values_list("pk", flat=True)[:SWEEP_LIMIT]
        )
        for message_id in due:
            enqueue("notifications.send_message", queue="emails", message_id=str(message_id))
        # Pushed ahead, so that the next sweep does not hand them over once more while they wait in their queue.
        Message.objects.filter(pk__in=due).update(
            next_attempt_at=ever_later(2 * settings.MESSAGE_REDISPATCH_SECONDS, sent="dispatches"),
            dispatches=F("dispatches") + 1,
        )
    return len(due)


def mark_read(*, message_id: UUID) -> Message:
    """Note that a notice was read; the first time counts."""
    with transaction.atomic():
        message = Message.objects.select_for_update(of=("self",)).get(pk=message_id)
        if message.read_at is None:
            message.mark_read(at=timezone.now())
        return message


def mark_all_read(*, recipient_id: UUID) -> int:
    """Note that all of a person's notices were read, and return how many were not yet."""
    return Message.objects.in_app().unread().filter(recipient=recipient_id).update(read_at=timezone.now())


def send_again(*, message_ids: list[UUID]) -> int:
    """Give messages that were given up their attempts back, and return how many."""
    return Message.objects.filter(pk__in=message_ids, status=MessageStatus.FAILED).update(
        status=MessageStatus.PENDING, attempts=0, dispatches=0, next_attempt_at=Now()
    )
