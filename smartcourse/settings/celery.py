"""Settings of Celery: a message is a hint, the row is the truth (a sweeper finds what a lost message left lying)."""

from __future__ import annotations

import sys
from datetime import timedelta

from smartcourse.queues.topology import task_queues, transport_options
from smartcourse.settings.environment import at_least, env
from smartcourse.settings.patience import (
    BROKER_TIMEOUT_SECONDS,
    COLLECT_DEAD_LETTERS_SECONDS,
    SWEEP_INTERVAL_SECONDS,
    TASK_RETRY_JITTER,
    TASK_RETRY_SECONDS,
)

TASKS_INLINE = env.bool("TASKS_INLINE", default=False)
"""For scripts and tests: tasks run in the process that sends them, after its commit; no broker, no worker."""

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=env.str("REDIS_URL", default="")) or "memory://"
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 270
# Redis hands on what has not been acknowledged for so long, and a message that waits for its retry is not acknowledged:
# shorter, and retries would be done by every worker in turn. Tasks with a row do not wait for it, they have sweepers.
_VISIBILITY_TIMEOUT = max(
    2 * CELERY_TASK_TIME_LIMIT, max(TASK_RETRY_SECONDS) * (1 + TASK_RETRY_JITTER) + CELERY_TASK_TIME_LIMIT
)
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(
    CELERY_BROKER_URL, timeout=BROKER_TIMEOUT_SECONDS, visibility_timeout=_VISIBILITY_TIMEOUT
)
CELERY_BROKER_CONNECTION_TIMEOUT = 2
# A worker notices within a minute that the broker's machine is gone, where no packet says so.
CELERY_BROKER_HEARTBEAT = 30
# Never closed by Celery itself, which would close the whole pool around every task (see queues/connections.py).
CELERY_DB_REUSE_MAX = sys.maxsize
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# On a machine under load a new process takes long to start. Killed after Celery's four seconds, it takes its message
# along, which counts as one of the deliveries that a message has.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60.0
# A task goes on when the broker is lost: its message comes again, and its row says that it is done. Cancelled, its
# message would be given back over a connection that is gone, which ends the whole worker (celery issue 9250).
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CONSUMER = "smartcourse.queues.consumer:SteadyConsumer"
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_QUEUES = task_queues(
    CELERY_BROKER_URL, delivery_limit=at_least(1, "TASK_DELIVERY_LIMIT", default=5)
)
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_BEAT_SCHEDULER = "smartcourse.queues.scheduler:ClaimingScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
# What a fresh installation starts with; `seed_schedule` writes it into rows, and staff change those.
CELERY_BEAT_SCHEDULE = {
    "prune sign-in attempts": {
        "task": "accounts.prune_sign_in_attempts",
        "schedule": timedelta(hours=1),
        "options": {"queue": "scheduled", "expires": 3600},
    },
    "delete exports after their time": {
        "task": "accounts.prune_exports",
        "schedule": timedelta(hours=1),
        "options": {"queue": "scheduled", "expires": 3600},
    },
    "sweep mail requests": {
        "task": "accounts.sweep_mail_requests",
        "schedule": timedelta(seconds=SWEEP_INTERVAL_SECONDS),
        "options": {"queue": "scheduled", "expires": 30},
    },
    "collect dead letters": {
        "task": "queues.sweep_dead_letters",
        "schedule": timedelta(seconds=COLLECT_DEAD_LETTERS_SECONDS),
        "options": {"queue": "scheduled", "expires": 30},
    },
    "prune claims of beat": {
        "task": "queues.sweep_scheduled_runs",
        "schedule": timedelta(hours=1),
        "options": {"queue": "scheduled", "expires": 600},
    },
    "prune ended sessions": {
        "task": "accounts.prune_sessions",
        "schedule": timedelta(hours=1),
        "options": {"queue": "scheduled", "expires": 3600},
    },
    "prune log-ins that waited and mailed codes": {
        "task": "accounts.prune_sign_in_remains",
        "schedule": timedelta(hours=1),
        "options": {"queue": "scheduled", "expires": 3600},
    },
    "tell the cache of ended sessions": {
        "task": "accounts.tell_the_cache",
        "schedule": timedelta(seconds=SWEEP_INTERVAL_SECONDS),
        "options": {"queue": "scheduled", "expires": 30},
    },
    "sweep deliveries": {
        "task": "events.sweep_deliveries",
        "schedule": timedelta(seconds=SWEEP_INTERVAL_SECONDS),
        "options": {"queue": "scheduled", "expires": 30},
    },
    "prune answers to idempotency keys": {
        "task": "api.prune_answers",
        "schedule": timedelta(hours=1),
        "options": {"queue": "scheduled", "expires": 3600},
    },
    "archive handled facts": {
        "task": "events.archive_facts",
        "schedule": timedelta(hours=1),
        "options": {"queue": "scheduled", "expires": 3600},
    },
    "sweep workflow runs": {
        "task": "workflows.sweep_runs",
        "schedule": timedelta(seconds=SWEEP_INTERVAL_SECONDS),
        "options": {"queue": "scheduled", "expires": 30},
    },
    "sweep unsent messages": {
        "task": "notifications.sweep_messages",
        "schedule": timedelta(seconds=2 * SWEEP_INTERVAL_SECONDS),
        "options": {"queue": "scheduled", "expires": 30},
    },
    "sweep webhooks": {
        "task": "webhooks.sweep",
        "schedule": timedelta(seconds=SWEEP_INTERVAL_SECONDS),
        "options": {"queue": "scheduled", "expires": 30},
    },
    "prune webhooks": {
        "task": "webhooks.prune",
        "schedule": timedelta(hours=1),
        "options": {"queue": "scheduled", "expires": 3600},
    },
}
