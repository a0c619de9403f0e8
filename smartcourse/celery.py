"""The Celery application; every setting of it lives in `smartcourse.settings` under the prefix CELERY_."""

import os

from celery import Celery

from smartcourse.queues.bootsteps import DeclareTopology

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartcourse.settings.production")

app = Celery("smartcourse", task_cls="smartcourse.queues.retrying:PatientTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["consumer"].add(DeclareTopology)
