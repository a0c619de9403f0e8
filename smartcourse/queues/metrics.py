"""What waits in the queues, and what died there, as operators read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from kombu import Connection
from kombu.exceptions import ChannelError

from smartcourse.observability.readings import Family, one
from smartcourse.queues.dispatch import publisher
from smartcourse.queues.models import DeadLetter
from smartcourse.queues.topology import DEAD_QUEUE, QUEUES, is_rabbitmq, publishing_options


def read_depths() -> Iterator[Family]:
    """Ask the broker how many messages wait in each queue; those that a worker has in hand are not among them."""
    app = publisher().app
    url = app.conf.broker_write_url or app.conf.broker_url or ""
    patience = settings.BROKER_TIMEOUT_SECONDS
    names = (*QUEUES, DEAD_QUEUE.name) if is_rabbitmq(url) else QUEUES
    # A connection of its own, a moment long: a publisher's would be missing to a request.
    connection: Connection = app.connection_for_write(
        connect_timeout=patience, heartbeat=0, transport_options=publishing_options(url, timeout=patience)
    )
    with connection:
        connection.ensure_connection(max_retries=1, timeout=patience, interval_start=0, interval_step=0)
        if is_rabbitmq(url):
            connection.connection.sock.settimeout(patience)
        depths = [((name,), _depth(connection, name)) for name in names]
    yield Family("smartcourse_queue_messages", "Messages that wait in a queue.", depths, labels=("queue",))


def _depth(connection: Connection, queue: str) -> int:
    channel: Any = connection.channel()
    try:
        return int(channel.queue_declare(queue=queue, passive=True).message_count)
    except ChannelError:
        # Not declared yet on RabbitMQ, an empty list on Redis. RabbitMQ closes the channel over it.
        return 0
    finally:
        channel.close()


def read_dead_letters() -> Iterator[Family]:
    """Count the tasks that nobody has looked after yet."""
    yield one(
        "smartcourse_dead_letters",
        "Tasks that were given up, until somebody looks after them.",
        DeadLetter.objects.open().count(),
    )
