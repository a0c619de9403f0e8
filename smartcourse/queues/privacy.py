"""What the queues hold of a person: the dead letters that they settled."""

from __future__ import annotations

from smartcourse.db.personal import Holding, Texts, declare

declare(
    "queues",
    Holding(
        model="queues.DeadLetter",
        person="settled_by",
        told=("id", "task", "status", "settled_at"),
        untold=dict.fromkeys(
            ("task_id", "queue", "arguments", "request_id", "cause", "details", "died_at", "settled_by"),
            "of the machinery, and nothing about who looked after it",
        ),
        kept={"settled_by": "leads to a row in which nobody is any more"}
        | dict.fromkeys(
            ("task_id", "task", "queue", "request_id", "status", "arguments", "cause", "details"),
            "of the machinery, and without the words that name the person",
        ),
    ),
    texts=(Texts(model="queues.DeadLetter", columns=("arguments", "cause", "details"), names=True),),
    impersonal={
        "queues.ScheduledRun": "which job was due when",
        **dict.fromkeys(
            (
                "django_celery_beat.SolarSchedule",
                "django_celery_beat.IntervalSchedule",
                "django_celery_beat.ClockedSchedule",
                "django_celery_beat.CrontabSchedule",
                "django_celery_beat.PeriodicTasks",
                "django_celery_beat.PeriodicTask",
            ),
            "which job is due when",
        ),
    },
)
