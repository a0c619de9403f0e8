"""Queues and exchanges as the broker knows them: one place, read by settings, workers, and whoever sends.

On RabbitMQ every queue is a quorum queue (a majority of the nodes has each message), bound to a topic exchange: only
behind one do delayed messages wait in the broker, where they hold up nobody. A message that was handed out
`delivery_limit` times too often, or that a worker refused, goes to the queue of the dead. Redis and Valkey have lists,
and none of this: there the row is the truth.

Sources: https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/rabbitmq.html#using-quorum-queues,
https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling.
"""

from __future__ import annotations

from typing import Any

from kombu import Exchange, Queue

QUEUES = (
    "emails", "sms", "certificates", "reports", "progress", "webhooks", "events", "scheduled", "default",
)  # fmt: skip
TASKS = Exchange("smartcourse.tasks", type="topic")
THE_DEAD = Exchange("smartcourse.dead", type="fanout")
# No worker consumes it: a periodic task turns what lies there into rows.
DEAD_QUEUE = Queue("dead", THE_DEAD, queue_arguments={"x-queue-type": "quorum"})


def is_rabbitmq(broker_url: str) -> bool:
    """Tell whether the address is RabbitMQ's."""
    return broker_url.startswith(("amqp", "pyamqp"))


def task_queues(broker_url: str, *, delivery_limit: int) -> list[Queue]:
    """Return the queues that workers consume; a message is tried again `delivery_limit` times after a killed worker."""
    if not is_rabbitmq(broker_url):
        return [Queue(name) for name in QUEUES]
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": delivery_limit,
        "x-dead-letter-exchange": THE_DEAD.name,
        # A message leaves its queue only once the dead have it; that asks for the second one.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    return [Queue(name, TASKS, routing_key=name, queue_arguments=arguments) for name in QUEUES]


def transport_options(broker_url: str, *, timeout: float, visibility_timeout: float) -> dict[str, Any]:
    """Return what the broker's driver is told.

    `timeout` is what connecting may take, `visibility_timeout` after how long Redis hands a message of a silent worker
    to the next one; both in seconds.
    """
    if is_rabbitmq(broker_url):
        # Sent is what the broker has confirmed, not what lies in a socket's buffer.
        return {"confirm_publish": True}
    if broker_url.startswith(("redis", "rediss", "valkey")):
        return {
            "visibility_timeout": visibility_timeout,
            "socket_connect_timeout": timeout,
            "socket_keepalive": True,
            "health_check_interval": 25,
        }
    return {}


def publishing_options(broker_url: str, *, timeout: float) -> dict[str, Any]:
    """Return what the driver is told besides by who only sends: no read or write lasts longer than `timeout` seconds.

    Not for workers: they wait for the next message for hours.
    """
    if is_rabbitmq(broker_url):
        return {"read_timeout": timeout, "write_timeout": timeout}
    if broker_url.startswith(("redis", "rediss", "valkey")):
        return {"socket_timeout": timeout, "retry_on_timeout": False}
    return {}
