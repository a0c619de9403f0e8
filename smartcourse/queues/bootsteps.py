"""What a worker does before it takes its first task."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from celery.worker.consumer.delayed_delivery import DelayedDelivery

from smartcourse.queues.topology import DEAD_QUEUE, is_rabbitmq


class DeclareTopology(bootsteps.StartStopStep):
    """Declares every queue, also those that this worker does not consume, and the queue of the dead.

    Celery declares what a worker consumes, and then fails to prepare delayed messages if another queue is missing: the
    first worker of a new installation that serves only some of the queues would have no retries.
    """

    requires = ("celery.worker.consumer.connection:Connection",)

    def include_if(self, parent: Any) -> bool:
        """Tell whether the broker has queues to declare; Redis makes them up as they are used."""
        return is_rabbitmq(parent.app.conf.broker_url or "")

    def start(self, parent: Any) -> None:
        """Declare them; what is there already stays as it is."""
        with parent.connection.channel() as channel:
            for queue in (DEAD_QUEUE, *parent.app.conf.task_queues):
                queue(channel).declare()


# Steps start in the order of what they require, and Celery's own knows nothing of ours.
DelayedDelivery.requires = (*(DelayedDelivery.requires or ()), DeclareTopology)
